"""The files of the sample, by subject: `python -m tests.sample_maker` writes them."""
