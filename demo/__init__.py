"""The demo: a small record shop whose customers, audience and call centre live beside a running Sojourn.

Everything here comes in through the faces that users have: files, commands, the HTTP API and the links of letters.
"""
