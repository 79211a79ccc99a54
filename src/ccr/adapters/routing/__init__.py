"""Routing from files: the user's own Python, and router files of projects and sessions."""
