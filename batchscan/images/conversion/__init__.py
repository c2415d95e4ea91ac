"""Converting pictures that the service refuses into JPEGs that it takes.

Runs in a decoder process only: the decoders used here can crash or hang on hostile files.
"""
