# SPDX-License-Identifier: MIT
# The interface that the socket serves is Varlink, and replies are what it says.

cb install build/flashlight.deb >/dev/null 2>&1 || { echo "not ok an app is there"; exit 1; }
app toy || exit 1
cb grant flashlight contacts empty --for 4h >/dev/null
cb grant flashlight storage:Music no >/dev/null
cb lock flashlight contacts >/dev/null
sh_in flashlight 'ls ~/.local/share/contacts; echo x >~/x; mkdir ~/d; ln -s x ~/l'
sh_in flashlight 'rm ~/x; mv ~/d ~/e'
cb cap flashlight network 5M >/dev/null
cb autostart toy on >/dev/null 2>&1
(cd / && exec "$BIN/cowbell" --root "$R" shell flashlight -c 'ls ~/.local/share/contacts; ls ~/Documents') </dev/null >/dev/null 2>>"$T/notices" &
job=$!
id=$(waiting | jq .id)
A='{"app":"flashlight"}'
ok "each reply is what the interface says" python3 tests/system/conform.py "$R/run/cowbell/io.cowbell" \
	List Info "$A" Ps Permissions Permissions "$A" Explain '{"app":"flashlight","permission":"contacts"}' Plan "$A" \
	Prompts '{"unanswered":true}' History History '{"app":"flashlight","since":null}' Generations "$A" Versions "$A" \
	Diff '{"app":"flashlight","from":1}' RollbackPlan "$A" Doctor Mark Search '{"words":["cowbell-none"]}' Cap "$A" Logs "$A" \
	Grant '{"app":"toy","permission":"contacts","answer":"empty","for":"1h"}' Revoke '{"app":"toy","permission":"contacts"}' \
	Lock '{"app":"toy","permission":"contacts","locked":false}' Pin '{"app":"flashlight","generation":1,"pinned":true}' \
	Answer "{\"id\":$id,\"answer\":\"no\",\"for\":\"run\"}" AgentLocked '{"locked":false}' Autostart '{"app":"toy","on":false}'
wait $job
cb stop flashlight >/dev/null 2>&1
ok "and each error" python3 tests/system/conform.py "$R/run/cowbell/io.cowbell" \
	Info '{"app":"nobody"}' Later '{"id":1}' Logs '{"app":"nobody"}' Grant '{"app":"toy","permission":"teapot","answer":"no","for":"run"}' \
	Stop '{"app":"toy"}' Diff '{"app":"toy","from":77}' Later '{"id":0}' Mark '{"set":" "}' \
	Stop "$A" Rollback "$A" Reset "$A" Uninstall "$A"
