"""The files of the sample, by subject; raw_data/make_sample.py writes them."""
