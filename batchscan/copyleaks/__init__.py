"""The vendor's API and nothing else: requests, answers, errors, token, transport."""
