"""ShipHero, warehouse software and 3PL network, over its public GraphQL API.

Spoken: the API at public-api.shiphero.com/graphql, which has no versions; documents are held to the schema of April
2022 and use no field that was deprecated since. Pages the rules come from, all read 2026-11-22:

- https://developer.shiphero.com/getting-started/ (addresses, tokens of 28 days, credits)
- https://developer.shiphero.com/graphql-primer/ (identifiers, cursor paging)
- https://developer.shiphero.com/troubleshooting/error-glossary/ (errors come with HTTP 200 and null data)
- https://developer.shiphero.com/schema/ (types)
- https://developer.shiphero.com/webhooks/ and the page of each webhook below it (bodies, answers, retries)

Limits: 4,004 credits per account, 60 come back each second, no call may cost more than 4,004, and 7,000 requests in
five minutes. A webhook waits 10 seconds for its answer and is tried five times.
"""
