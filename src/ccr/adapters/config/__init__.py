"""The configuration file: read with positions, checked as a whole, edited without losing a comment."""
