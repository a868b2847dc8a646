# SPDX-License-Identifier: MIT
# large
# The test suites of Python and of Go are apps: what they know of files, processes,
# sockets, terminals, signals and locks holds inside an app that was given nothing.
# A test that fails is tried once more by itself: the suites wait for fixed times.

has_archive || { echo "not ok this machine has an archive to fetch from"; exit 1; }

# shellcheck disable=SC2046
ok "Python's suite is an app" cb install --name pysuite $(flock /tmp/cowbell-test-apt.lock tools/fetch-debs.sh build/debs libpython3.11-testsuite)
modules='asyncio bytes compileall concurrent_futures ctypes dbm epoll fcntl file fileio filecmp fork1 getpass glob
	grp http_cookiejar httplib importlib io largefile lzma mailbox mmap multiprocessing_spawn openpty os
	pathlib pickle poll popen posix posixpath pty pwd pty random resource select selectors shelve shutil signal
	socket socketserver ssl stat subprocess sysconfig tarfile tempfile thread threading
	time tracemalloc tty unicode_file unicode_file_functions venv wait3 wait4 zipfile'
for m in $modules; do
	for try in 1 2; do
		cb shell pysuite -c "cd && exec timeout 400 /usr/bin/python3 -m test --timeout 300 -u none test_$m" </dev/null >"$T/py" 2>&1
		status=$?
		[ $status = 0 ] && break
	done
	grep -q 'test skipped' "$T/py" && status=skipped
	is "Python: $m" $status 0
	[ $status = 0 ] || sed 's/^/    /' "$T/py" | tail -n 40
done

# shellcheck disable=SC2046
ok "Go's suite is an app" cb install --name gosuite $(flock /tmp/cowbell-test-apt.lock tools/fetch-debs.sh build/debs golang-go)
packages='context internal/poll io io/fs mime/multipart net net/http/httptest net/netip net/rpc net/textproto os os/exec
	os/signal os/user path/filepath sync syscall testing/fstest time'
for m in $packages; do
	for try in 1 2; do
		cb shell gosuite -c "cd && exec timeout 500 go test -short -count=1 $m" </dev/null >"$T/go" 2>&1
		status=$?
		[ $status = 0 ] && break
	done
	is "Go: $m" $status 0
	[ $status = 0 ] || sed 's/^/    /' "$T/go" | tail -n 40
done
