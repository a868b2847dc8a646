# SPDX-License-Identifier: MIT
# board
# First uses wait, and get what was answered.

MAY_CHANGE=Documents

app greedy
before=$(home_print)

ask() { # ask SCRIPT ANSWER [FOR] -> output
	sh_in greedy "$1" >"$T/ask.out" &
	local job=$!
	answer "$2" "${3:-run}" >"$T/says" || echo "not answered"
	wait $job
	cat "$T/ask.out"
}

look='ls ~/.local/share/contacts | tr "\n" " "'
is "empty shows nothing" "$(ask "$look" empty)" ""
is "read shows the real ones" "$(ask "$look" read)" "ada.vcf grace.vcf "
is "read takes no change" "$(ask '(echo x >~/.local/share/contacts/new.vcf) 2>/dev/null && echo written || echo refused' read)" refused
is "copy shows the real ones" "$(ask "$look" copy)" "ada.vcf grace.vcf "
is "a copy can be changed" "$(ask 'echo x >~/.local/share/contacts/new.vcf; rm ~/.local/share/contacts/ada.vcf; ls ~/.local/share/contacts | tr "\n" " "' copy)" "grace.vcf new.vcf "
cb stop greedy >/dev/null 2>&1
like "what changed in a copy is shown by what it stands for" "$(cb diff greedy)" "added +$H/.local/share/contacts/new.vcf \\(in the private copy\\)"
unlike "and nothing of ours" "$(cb diff greedy; cb versions greedy)" '\.cowbell|copy\.[0-9]|\.done'
like "versions finds it" "$(cb versions greedy "$H/.local/share/contacts/new.vcf")" "new.vcf \\(in the private copy\\)"
is "and its bytes" "$(cb cat greedy "$H/.local/share/contacts/new.vcf")" x
fails "of what it never changed it says so" 1 "it never changed '$H/nothing'" cb versions greedy "$H/nothing"
is "no is a clean error" "$(ask 'ls ~/.local/share/contacts 2>&1 | sed "s/.*: //"' no)" "Permission denied"
is "empty is the app's own: what it wrote stays with it" "$(ask 'echo mine >~/Documents/own' empty; ask 'cat ~/Documents/own' empty)" mine
is "the owner's home is as it was" "$(home_print)" "$before"
is "write reaches the real folder" "$(ask 'echo new >~/Documents/by-app; cat ~/Documents/letter.txt' write)" "dear diary"
is "what it wrote is the owner's" "$(stat -c '%u %g' "$H/Documents/by-app")" "1000 1000"
rm "$H/Documents/by-app"

like "the question names who, what and how many" "$(sh_in greedy "$look" >/dev/null & waiting; cb answer "$(cb --json prompts | jq '.prompts[0].id')" no >/dev/null; wait)" '"about":"your contacts \(2 people\)"'

# One question however many threads and children wait.
cat >"$T/many.py" <<'P'
import os, threading, sys
home = os.environ['HOME']
def look():
    os.listdir(home + '/Pictures')
ts = [threading.Thread(target=look) for _ in range(10)]
[t.start() for t in ts]
kids = []
for _ in range(5):
    p = os.fork()
    if p == 0:
        look(); os._exit(0)
    kids.append(p)
[t.join() for t in ts]
[os.waitpid(p, 0) for p in kids]
print('all went on')
P
sh_in greedy "python3 - <<'P'
$(cat "$T/many.py")
P" >"$T/many.out" &
job=$!
waiting >/dev/null
sleep 0.5
is "ten threads and five children make one question" "$(cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length')" 1
answer empty >/dev/null
wait $job
is "one answer lets all go on" "$(cat "$T/many.out")" "all went on"

# A held call only takes time.
sh_in greedy 'date +%s >/tmp/a; cat ~/Documents/letter.txt; s=$?; date +%s >/tmp/b; echo $(( $(cat /tmp/b) - $(cat /tmp/a) >= 2 )) $s' >"$T/held.out" &
job=$!
waiting >/dev/null
sleep 2.2
answer read >/dev/null
wait $job
is "a held open goes on after the answer" "$(tr '\n' ' ' <"$T/held.out")" "dear diary 1 0 "

# Durations.
is "an answer for good is remembered" "$(ask "$look" read always; sh_in greedy "$look")" "ada.vcf grace.vcf ada.vcf grace.vcf "
like "explain names the answer" "$(cb explain greedy contacts)" 'contacts is read \(always\), decided by grant'
stop
start
is "also by a new start" "$(sh_in greedy "$look")" "ada.vcf grace.vcf "
cb revoke greedy contacts >/dev/null
like "revoked means ask" "$(cb explain greedy contacts)" 'is ask'
is "grant answers before it is asked" "$(cb grant greedy contacts empty >/dev/null; sh_in greedy "$look"; echo .)" "."
cb revoke greedy contacts >/dev/null
cb grant greedy contacts read --for 2s >/dev/null
is "a grant for a time gives" "$(sh_in greedy "$look")" "ada.vcf grace.vcf "
sleep 2.2
like "and ends with it" "$(cb explain greedy contacts)" 'is ask'
fails "for this run needs a run" 1 "does not run now" cb grant greedy contacts read --for run
fails "an answer that does not fit" 1 "no answer for contacts" cb grant greedy contacts allow
fails "an unknown permission" 1 "not a permission of this device" cb grant greedy camera no
fails "an unknown duration" 1 "not a duration" cb grant greedy contacts no --for soon
fails "an unknown question" 1 "no question 99 waits" cb answer 99 no

# Later, and no agent.
sh_in greedy 'ls ~/Pictures 2>&1 | sed "s/.*: //"; ls ~/Pictures 2>&1 | sed "s/.*: //"' >"$T/later.out" &
job=$!
id=$(waiting | jq .id)
varlink_later="{\"method\":\"io.cowbell.Later\",\"parameters\":{\"id\":$id}}"
python3 - "$R/run/cowbell/io.cowbell" "$varlink_later" <<'P'
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode() + b'\0'); s.recv(4096)
P
wait $job
is "later refuses, and is not asked again at once" "$(tr '\n' ' ' <"$T/later.out")" "Permission denied Permission denied "
like "later stores nothing and stands under unanswered" "$(cb prompts)" 'unanswered'
like "nothing was stored" "$(cb explain greedy storage:Pictures)" 'is ask'

# The person's view of what happened.
like "history has answers and uses" "$(cb history greedy)" 'used +contacts +read'
like "refusals too" "$(cb history greedy)" 'refused +contacts'
like "by permission" "$(cb history greedy --permission storage:Pictures)" 'storage:Pictures'
unlike "and only that" "$(cb history greedy --permission storage:Pictures)" 'contacts'
