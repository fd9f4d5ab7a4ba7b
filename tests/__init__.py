"""A package, because a dependency installs a `tests` of its own: `python -m tests.proofs.crashes` has to find this."""
