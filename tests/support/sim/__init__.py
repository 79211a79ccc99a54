"""A whole gateway over virtual time: providers that fail, callers that leave, all from one seed."""
