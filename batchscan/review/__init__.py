"""Deciding about matches by looking at them: a web page on this machine, for its user alone.

`server` listens and names the routes; `gate` lets nobody else in; `queue` knows which match is
next; `actions` enters decisions by the same functions as `mark`, `allow` and `takedown`; `pages`
makes HTML of it, and `pictures` JPEGs of our own files.
"""
