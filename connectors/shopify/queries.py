"""Every GraphQL document that is sent to Shopify.

They are plain texts, so that all of them can be held against a published schema before an upgrade.
Amounts are asked for in the shop's currency only, but for the order's total, which also gives the customer's.
"""

from __future__ import annotations

CHECK = """
query Check {
  shop { id name myshopifyDomain currencyCode ianaTimezone }
  currentAppInstallation { accessScopes { handle } }
}
"""

PERSONAL_DATA = """
query PersonalData {
  orders(first: 1) {
    nodes {
      email phone
      customer { firstName lastName defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber } }
      shippingAddress { name address1 phone }
      billingAddress { name address1 phone }
    }
  }
}
"""

_TAX = """
fragment TaxFields on TaxLine { title rate channelLiable priceSet { shopMoney { amount } } }
"""

_DISCOUNT = """
fragment DiscountFields on DiscountAllocation {
  allocatedAmountSet { shopMoney { amount } }
  discountApplication {
    index
    ... on DiscountCodeApplication { code }
    ... on ManualDiscountApplication { title }
    ... on AutomaticDiscountApplication { title }
    ... on ScriptDiscountApplication { title }
  }
}
"""

_LINE = """
fragment LineFields on LineItem {
  id title variantTitle sku quantity currentQuantity requiresShipping isGiftCard
  product { legacyResourceId }
  variant { legacyResourceId }
  weight { unit value }
  fulfillmentService { handle }
  customAttributes { key value }
  originalUnitPriceSet { shopMoney { amount } }
  discountAllocations { ...DiscountFields }
  taxLines { ...TaxFields }
  duties {
    id harmonizedSystemCode countryCodeOfOrigin
    price { shopMoney { amount } }
    taxLines { ...TaxFields }
  }
}
"""

_ADDRESS = """
fragment AddressFields on MailingAddress {
  name company address1 address2 city province provinceCode zip country countryCodeV2 phone latitude longitude
}
"""

_WORK = """
fragment WorkFields on FulfillmentOrder {
  id status updatedAt fulfillAt
  fulfillmentHolds { id reason reasonNotes displayReason }
  deliveryMethod { methodType }
  assignedLocation { location { legacyResourceId } }
}
"""

_ORDER = (
    """
fragment OrderFields on Order {
  id legacyResourceId name createdAt processedAt updatedAt cancelledAt cancelReason closedAt test
  currencyCode presentmentCurrencyCode displayFinancialStatus displayFulfillmentStatus
  email phone note tags customerLocale customerAcceptsMarketing sourceName taxesIncluded dutiesIncluded
  discountCodes paymentGatewayNames
  customAttributes { key value }
  customer {
    legacyResourceId firstName lastName note tags
    defaultEmailAddress { emailAddress }
    defaultPhoneNumber { phoneNumber }
  }
  billingAddress { ...AddressFields }
  shippingAddress { ...AddressFields }
  retailLocation { legacyResourceId }
  totalPriceSet { shopMoney { amount } presentmentMoney { amount currencyCode } }
  totalDiscountsSet { shopMoney { amount } }
  totalTaxSet { shopMoney { amount } }
  subtotalPriceSet { shopMoney { amount } }
  totalTipReceivedSet { shopMoney { amount } }
  totalRefundedSet { shopMoney { amount } }
  currentTotalPriceSet { shopMoney { amount } }
  currentSubtotalPriceSet { shopMoney { amount } }
  currentTotalDiscountsSet { shopMoney { amount } }
  currentTotalTaxSet { shopMoney { amount } }
  currentTotalAdditionalFeesSet { shopMoney { amount } }
  taxLines { ...TaxFields }
  risk { recommendation assessments { riskLevel facts { description sentiment } } }
  transactions(first: 20) {
    id kind status gateway createdAt processedAt accountNumber paymentId
    amountSet { shopMoney { amount currencyCode } }
  }
  shippingLines(first: 10) {
    nodes {
      id title code carrierIdentifier deliveryCategory
      originalPriceSet { shopMoney { amount } }
      discountedPriceSet { shopMoney { amount } }
      currentDiscountedPriceSet { shopMoney { amount } }
      discountAllocations { ...DiscountFields }
      taxLines { ...TaxFields }
    }
  }
  fulfillmentOrders(first: 5) { pageInfo { hasNextPage endCursor } nodes { ...WorkFields } }
  lineItems(first: $lines) { pageInfo { hasNextPage endCursor } nodes { ...LineFields } }
}
"""
    + _WORK
    + _LINE
    + _ADDRESS
    + _DISCOUNT
    + _TAX
)

ORDERS = (
    """
query Orders($first: Int!, $after: String, $query: String, $lines: Int!) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { ...OrderFields }
  }
}
"""
    + _ORDER
)

ORDER = (
    """
query Order($id: ID!, $lines: Int!) {
  order(id: $id) { ...OrderFields }
}
"""
    + _ORDER
)

ORDER_LINES = (
    """
query OrderLines($id: ID!, $first: Int!, $after: String) {
  order(id: $id) {
    lineItems(first: $first, after: $after) { pageInfo { hasNextPage endCursor } nodes { ...LineFields } }
  }
}
"""
    + _LINE
    + _DISCOUNT
    + _TAX
)

ORDERS_BY_ID = (
    """
query OrdersById($ids: [ID!]!, $lines: Int!) {
  nodes(ids: $ids) { ... on Order { ...OrderFields } }
}
"""
    + _ORDER
)

ORDER_OF_WORK = (
    """
query OrderOfWork($id: ID!, $lines: Int!) {
  fulfillmentOrder(id: $id) { order { ...OrderFields } }
}
"""
    + _ORDER
)

ORDER_WORK = (
    """
query OrderWork($id: ID!, $first: Int!, $after: String) {
  order(id: $id) {
    fulfillmentOrders(first: $first, after: $after) { pageInfo { hasNextPage endCursor } nodes { ...WorkFields } }
  }
}
"""
    + _WORK
)

CHANGED_WORK = """
query ChangedWork($first: Int!, $after: String, $query: String) {
  fulfillmentOrders(first: $first, after: $after, query: $query, includeClosed: true, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { id orderId }
  }
}
"""

_VARIANT = """
fragment VariantFields on ProductVariant {
  id legacyResourceId title sku barcode price
  selectedOptions { name value }
  inventoryItem {
    legacyResourceId tracked requiresShipping harmonizedSystemCode countryCodeOfOrigin
    measurement { weight { unit value } }
  }
}
"""

PRODUCTS = (
    """
query Products($first: Int!, $after: String, $query: String, $variants: Int!) {
  shop { currencyCode }
  products(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id legacyResourceId title descriptionHtml vendor status tags isGiftCard updatedAt
      media(first: 1) { nodes { preview { image { url } } } }
      variants(first: $variants) { pageInfo { hasNextPage endCursor } nodes { ...VariantFields } }
    }
  }
}
"""
    + _VARIANT
)

PRODUCT_VARIANTS = (
    """
query ProductVariants($id: ID!, $first: Int!, $after: String) {
  product(id: $id) {
    variants(first: $first, after: $after) { pageInfo { hasNextPage endCursor } nodes { ...VariantFields } }
  }
}
"""
    + _VARIANT
)

LOCATIONS = """
query Locations($first: Int!, $after: String) {
  locations(first: $first, after: $after, includeInactive: true) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id legacyResourceId name isActive
      address { address1 address2 city provinceCode province zip countryCode phone latitude longitude }
    }
  }
}
"""

INVENTORY_ITEMS_OF_VARIANTS = """
query InventoryItemsOfVariants($ids: [ID!]!) {
  nodes(ids: $ids) { ... on ProductVariant { id inventoryItem { id } } }
}
"""

AVAILABLE = """
query Available($item: ID!, $location: ID!) {
  inventoryItem(id: $item) {
    inventoryLevel(locationId: $location) { quantities(names: ["available"]) { name quantity } }
  }
}
"""

SET_QUANTITIES = """
mutation SetQuantities($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { createdAt reason }
    userErrors { code field message }
  }
}
"""

FULFILLMENT_ORDERS = """
query FulfillmentOrders($id: ID!, $first: Int!, $after: String, $lines: Int!) {
  order(id: $id) {
    id
    fulfillments(first: 100) {
      id status createdAt
      trackingInfo { number company url }
      fulfillmentLineItems(first: 100) { nodes { quantity lineItem { id } } }
    }
    fulfillmentOrders(first: $first, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id status
        assignedLocation { location { id } }
        supportedActions { action }
        lineItems(first: $lines) {
          pageInfo { hasNextPage endCursor }
          nodes { id remainingQuantity lineItem { id } }
        }
      }
    }
  }
}
"""

FULFILLMENT_ORDER_LINES = """
query FulfillmentOrderLines($id: ID!, $first: Int!, $after: String) {
  fulfillmentOrder(id: $id) {
    lineItems(first: $first, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { id remainingQuantity lineItem { id } }
    }
  }
}
"""

CREATE_FULFILLMENT = """
mutation CreateFulfillment($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id legacyResourceId status }
    userErrors { field message }
  }
}
"""

SUBSCRIPTIONS = """
query Subscriptions($first: Int!, $after: String) {
  webhookSubscriptions(first: $first, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { id topic uri }
  }
}
"""

SUBSCRIBE = """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $webhookSubscription: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $webhookSubscription) {
    webhookSubscription { id topic uri }
    userErrors { field message }
  }
}
"""

UNSUBSCRIBE = """
mutation Unsubscribe($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}
"""

DOCUMENTS: dict[str, str] = {
    name: text
    for name, text in globals().items()
    if name.isupper() and not name.startswith("_") and isinstance(text, str)
}
"""All documents by name, for checks against a schema."""
