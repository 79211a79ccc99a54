"""Everything that says no, or wait, or what the outside looks like."""
