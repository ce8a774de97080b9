"""What docs/ci.md finds: a server of the folder's home, as continuous integration has one."""

import subprocess

server = subprocess.Popen(["taxiway", "server", "--port", "5500"], stdout=subprocess.PIPE, text=True)
assert server.stdout is not None
server.stdout.readline()
