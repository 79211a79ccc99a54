"""The admin API under ``/api``: for the command line, and later for the UI.

Its auth rule: with a key configured the key is needed and must be an admin's; without one only loopback is served, and
the Host and Origin guard keeps web pages out.
"""
