"""Shopify, through the Admin GraphQL API, version 2026-07.

Pages of the vendor (all under https://shopify.dev/docs, read 2026-11-22):
- api/usage/versioning: quarterly versions, each served for a year;
- api/usage/rate-limits: points per second by plan, THROTTLED with status 200, a single query at most 1,000 points;
- api/usage/idempotent-requests: the @idempotent directive, demanded at run time for inventory writes since 2026-04;
- api/admin-graphql/2026-07: orders, fulfillmentCreate, inventorySetQuantities, webhookSubscriptionCreate;
- apps/build/webhooks: HMAC over the raw body, headers, eight retries within four hours.

Orders come twice: polled in the shape of GraphQL and pushed in the older REST shape; both give one document.
"""
