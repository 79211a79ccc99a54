"""The configuration compiled into what the data path needs, and nothing else."""
