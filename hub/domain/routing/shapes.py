"""What the router reads and what it answers.

Quantities are whole units, money is whole minor units of one currency, chances are parts per million, days are whole
days. Nothing here knows a clock: who builds the snapshot has asked the calendar when a parcel would leave and arrive.
`hub/schemas/routing-input.v1.json` is the same as a document; `hub.domain.routing.document` goes both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Method = Literal["ship", "pickup"]
Assign = Literal["single", "split", "partial"]

DEFAULT_RANKERS = ("min_splits", "market", "closest")


@dataclass(frozen=True, slots=True)
class Lane:
    """One way to send a parcel from a place to this destination, such as a carrier's service. Read by `cost` alone."""

    name: str
    tiers: tuple[tuple[int, int], ...]  # (heaviest parcel in grams, charge in minor units), lightest first
    dimensional_g_per_l: int = 0  # a bulky parcel is charged as if a litre weighed this much
    capacity_ml: int | None = None  # volume that it takes along; None is no limit


@dataclass(frozen=True, slots=True)
class Place:
    """A location that might ship. What depends on the destination is that of this order's destination."""

    id: str
    code: str
    country: str = ""
    latitude: float | None = None
    longitude: float | None = None
    markets: frozenset[str] = frozenset()
    rank: int = 100  # the operator's own order, lower first
    is_default: bool = False
    closed: str = ""  # why it cannot take anything right now, for any method; "" when it can
    kind: str = ""  # warehouse, store, 3pl, supplier, virtual
    groups: frozenset[str] = frozenset()  # names that steps filter by
    channels: frozenset[str] = frozenset()  # channels it sells for; empty is all
    serves: frozenset[str] = frozenset()  # destination countries; empty is all
    ships: bool = True  # may send parcels
    pickup: bool = False  # customers may collect here
    size_classes: frozenset[str] = frozenset()  # size classes it can handle; empty is all
    hazmat: bool = True  # may handle dangerous goods
    stock_buffer: int = 0  # units of every article that the router leaves lying here
    capacity_left: int | None = None  # orders it can still take today; None is no limit
    ships_on: date | None = None  # the day a parcel would leave, by its calendar and cut-off
    arrives_on: date | None = None  # the day it would be with the customer; None is unknown
    zone: str = ""  # the carrier zone of the destination seen from here, for people
    base_minor: int = 0  # charge for one parcel to this destination, unless there are lanes
    per_unit_minor: int = 0  # handling of each unit
    carton_ml: int = 0  # volume of one carton; 0 is one carton for everything
    per_carton_minor: int = 0  # handling of each carton
    lanes: tuple[Lane, ...] = ()  # carriers to choose from; empty is one that charges `base_minor`
    acceptance_ppm: int | None = None  # chance that it takes what is asked of it; None is unknown
    acceptance_by_category: Mapping[str, int] = field(default_factory=dict)  # ppm by product category, where it differs
    attributes: Mapping[str, str | int] = field(default_factory=dict)  # what the operator noted, for `metafield`


@dataclass(frozen=True, slots=True)
class Need:
    """Units of one order line that have to ship.

    Needs that share a `group` ship together, whole, or not at all; where they make up kits, kit by kit.
    """

    line_id: str
    variant_id: str
    units: int
    group: str | None = None
    sku: str = ""
    value_minor: int = 0  # worth of all `units` together
    category: str = ""  # product category
    size_class: str = ""
    hazmat: bool = False
    weight_g: int = 0  # of one unit
    volume_ml: int = 0  # of one unit
    pinned: str | None = None  # id of the only place that may give it, such as the store where it is collected
    per_kit: int = 0  # units of it in one kit, where its group is kits of which each ships whole; 0: one whole
    otherwise: str = "backorder"  # what happens when no step finds a place: backorder, preorder or as `on_remainder`


@dataclass(frozen=True, slots=True)
class Destination:
    country: str = ""
    market: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One try to find places for what is left. The field names are those of the JSON document and of rule files."""

    name: str = "anywhere"
    groups: frozenset[str] = frozenset()  # only places in one of these groups; empty is all
    radius_km: int | None = None  # only places as near as this; places without a coordinate are left out
    min_stock: int = 0  # units of an article that stay at the place: only what lies above them counts
    rankers: tuple[str, ...] = DEFAULT_RANKERS  # names, first to last; "metafield:key" gives a ranker its argument
    assign: Assign = "partial"  # all from one place, all from the fewest places, or as much as can be
    max_shipments: int = 3  # places that may ship in this step
    min_shipment_value_minor: int = 0  # least worth of every parcel of a divided order
    ignore_capacity: bool = False  # also places whose capacity is used up
    late_ok: bool = False  # also places from which it would arrive after the promise
    on_remainder: str = "next"  # next, backorder, hold, queue:<name> or auto_cancel:<days>


@dataclass(frozen=True, slots=True)
class CostRules:
    """What the `cost` strategy adds to carriage and handling. Minor units."""

    extra_shipment_penalty_minor: int = 0  # for every parcel after the first
    late_penalty_minor: int = 0  # for every day a parcel is late
    reroute_minor: int = 0  # work of routing again after a refusal
    delay_minor: int = 0  # what the lost time of a refusal costs
    shadow_base_minor: int = 0  # worth, to later orders, of the last unit at a place
    target_weeks: int = 8  # weeks of supply from which on a unit has no such worth


@dataclass(frozen=True, slots=True)
class Rules:
    """How to decide: the strategy, its figures, and the steps."""

    steps: tuple[Step, ...] = (Step(),)
    strategy: str = "ranked"
    cost: CostRules = CostRules()


# Units that may be taken now, by (place id, variant id); absent means none.
Sellable = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a decision rests on; nothing else is looked at.

    `places` may be a `Network`, which remembers what is worked out of the places: build it once and route many orders.
    """

    needs: tuple[Need, ...]
    destination: Destination
    places: Sequence[Place]
    sellable: Sellable
    excluded: frozenset[tuple[str, str]] = frozenset()  # (line id, place id) pairs that were refused before
    rules: Rules = Rules()
    method: Method = "ship"
    channel: str = ""  # the channel it was ordered on
    promise: date | None = None  # the day by which it has to be with the customer
    # Thousandths of a unit sold a week, by place and variant; absent of a variant that another place sells is none.
    weekly_demand_milli: Sellable = field(default_factory=dict)
    network_units: Mapping[str, int] = field(default_factory=dict)  # sellable by variant; absent: all places' together
    shadow_minor: Sellable = field(default_factory=dict)  # worth of one unit to later orders; absent: from the demand
    kept: Sellable = field(default_factory=dict)  # units that lie there too and are kept for others who came before


@dataclass(frozen=True, slots=True)
class Part:
    """What one place ships: units by line id."""

    place_id: str
    units: Mapping[str, int]
    step: str = ""  # the step that chose it
    lanes: Mapping[str, Mapping[str, int]] = field(
        default_factory=dict
    )  # units by lane and line, where lanes are known


@dataclass(frozen=True, slots=True)
class Remainder:
    """Units without a place.

    `code` is out_of_stock, kept_for_others (what lies there is kept for others who came before), unfillable (only where
    it was refused), left_out (only at places that were left out) or not_allowed (in stock, but not so that the steps'
    rules are kept). `then` is next in line for them: backorder,
    preorder, hold, queue:<name> or auto_cancel:<days>.
    """

    line_id: str
    units: int
    reason: str
    code: str = "out_of_stock"
    then: str = "backorder"


@dataclass(frozen=True, slots=True)
class Plan:
    """The decision: `parts` and `remainder` together are exactly the needs. `reason` is one sentence for people."""

    parts: tuple[Part, ...]
    remainder: tuple[Remainder, ...]
    reason: str
    inputs_hash: str
    trace: Mapping[str, Any] = field(default_factory=dict)
    strategy: str = "ranked@4"  # name and version of what decided
    cost_minor: int | None = None  # what the `cost` strategy reckons; None where nothing was reckoned


# A ranker gives a place a whole number, lower is better, or None where it has nothing to say of it. A name with an
# argument, such as "metafield:key", calls it with that text as third argument. It sees the step's snapshot: the needs
# that are left and the units that the step may take.
Ranker = Callable[..., int | None]

# A strategy is a whole algorithm: it gets the snapshot and the rankers by name.
Strategy = Callable[[Snapshot, Mapping[str, Ranker]], Plan]
