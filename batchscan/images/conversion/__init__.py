"""Making a JPEG that the service takes of a picture that it would refuse.

Runs in the decoders' process only: the decoders used here crash or spin on hostile files.
"""
