"""The review page: a local web page for deciding about matches one by one.

`server` listens and has the routes; `gate` controls access; `queue` finds the next match;
`actions` enters decisions with the functions of `mark`, `allow` and `takedown`; `pages` renders
HTML, and `pictures` makes JPEGs of our own files.
"""
