"""Built-in transformers, one a file; ``plugins/builtin.py`` finds them.

Names and options are those of the original, so its configurations keep working; what the dialects do by themselves
today is left to them.
"""

from __future__ import annotations
