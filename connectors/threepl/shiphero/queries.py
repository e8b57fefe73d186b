"""The GraphQL documents.

Every connection is asked with an explicit `first`: ShipHero charges credits for what could come back, and takes 100
where nothing is said.
"""

from __future__ import annotations

_ORDER = """
fragment OrderState on Order {
  id order_number partner_order_id shop_name fulfillment_status
}
"""

_SHIPMENT = """
fragment Contents on ShipmentLineItemConnection {
  pageInfo { hasNextPage endCursor }
  edges { node { id quantity line_item { id sku partner_line_item_id } } }
}
fragment ShipmentState on Shipment {
  id warehouse_id completed delivered picked_up refunded created_date
  order { id order_number partner_order_id shop_name }
  line_items(first: $lines) { ...Contents }
  shipping_labels {
    id status tracking_number carrier shipping_method delivered picked_up refunded created_date
    label { pdf_location }
    shipment_line_items(first: $lines) { ...Contents }
  }
}
"""

ACCOUNT = """
query Account {
  account {
    request_id
    data {
      id legacy_id username email
      warehouses {
        id legacy_id identifier company_name
        address { name address1 address2 city state country zip phone }
      }
    }
  }
}
"""

ORDER = (
    """
query Order($id: String!) {
  order(id: $id) { request_id data { ...OrderState } }
}
"""
    + _ORDER
)

ORDERS_BY_PARTNER_ID = (
    """
query OrdersByPartnerId($reference: String!, $shop: String, $customer: String) {
  orders(partner_order_id: $reference, shop_name: $shop, customer_account_id: $customer) {
    request_id
    data(first: 10) { edges { node { ...OrderState } } }
  }
}
"""
    + _ORDER
)

ORDERS_BY_NUMBER = (
    """
query OrdersByNumber($reference: String!, $shop: String, $customer: String) {
  orders(order_number: $reference, shop_name: $shop, customer_account_id: $customer) {
    request_id
    data(first: 10) { edges { node { ...OrderState } } }
  }
}
"""
    + _ORDER
)

ORDER_CREATE = (
    """
mutation OrderCreate($data: CreateOrderInput!) {
  order_create(data: $data) { request_id order { ...OrderState } }
}
"""
    + _ORDER
)

ORDER_CANCEL = (
    """
mutation OrderCancel($data: CancelOrderInput!) {
  order_cancel(data: $data) { request_id order { ...OrderState } }
}
"""
    + _ORDER
)

SHIPMENTS = (
    """
query Shipments($from: ISODateTime, $to: ISODateTime, $first: Int!, $after: String, $lines: Int!) {
  shipments(date_from: $from, date_to: $to) {
    request_id
    data(first: $first, after: $after) {
      pageInfo { hasNextPage endCursor }
      edges { node { ...ShipmentState } }
    }
  }
}
"""
    + _SHIPMENT
)

SHIPMENT = (
    """
query Shipment($id: String!, $lines: Int!) {
  shipment(id: $id) { request_id data { ...ShipmentState } }
}
"""
    + _SHIPMENT
)

WAREHOUSE_PRODUCTS = """
query WarehouseProducts($from: ISODateTime, $customer: String, $first: Int!, $after: String) {
  warehouse_products(updated_from: $from, customer_account_id: $customer) {
    request_id
    data(first: $first, after: $after) {
      pageInfo { hasNextPage endCursor }
      edges {
        node {
          id sku warehouse_id warehouse_identifier on_hand available allocated non_sellable_quantity active updated_at
        }
      }
    }
  }
}
"""

WEBHOOKS = """
query Webhooks($customer: String, $first: Int!, $after: String) {
  webhooks(customer_account_id: $customer) {
    request_id
    data(first: $first, after: $after) {
      pageInfo { hasNextPage endCursor }
      edges { node { id name url shop_name enabled health } }
    }
  }
}
"""

WEBHOOK_CREATE = """
mutation WebhookCreate($data: CreateWebhookInput!) {
  webhook_create(data: $data) { request_id webhook { id name url shop_name shared_signature_secret } }
}
"""

WEBHOOK_ENABLE = """
mutation WebhookEnable($data: EnableWebhookInput!) {
  webhook_enable(data: $data) { request_id webhook { id enabled } }
}
"""

WEBHOOK_DELETE = """
mutation WebhookDelete($data: DeleteWebhookInput!) {
  webhook_delete(data: $data) { request_id }
}
"""

DOCUMENTS = {
    "account": ACCOUNT,
    "order": ORDER,
    "orders by partner id": ORDERS_BY_PARTNER_ID,
    "orders by number": ORDERS_BY_NUMBER,
    "order_create": ORDER_CREATE,
    "order_cancel": ORDER_CANCEL,
    "shipments": SHIPMENTS,
    "shipment": SHIPMENT,
    "warehouse_products": WAREHOUSE_PRODUCTS,
    "webhooks": WEBHOOKS,
    "webhook_create": WEBHOOK_CREATE,
    "webhook_enable": WEBHOOK_ENABLE,
    "webhook_delete": WEBHOOK_DELETE,
}
