"""The short way of a small request: JSON in, one array of numbers, JSON out.

`connections` hands over the requests for inference whose head is plain: no chunks, no encodings, no
expectations. `requests` decodes those bodies that fit the model's `array_spec` to the letter,
`answers` writes what `codecs` would write, and `lane` ties both to the model's batcher. Whatever is
not recognised here, bodies that are wrong included, goes the general way: it alone knows how to say
no. So nothing is promised here that is not promised there, and tests hold the two together.
"""
