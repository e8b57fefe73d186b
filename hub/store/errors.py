"""What the database may say no with, by names that the rest of the hub may use."""

from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

__all__ = [
    "ArgumentError",
    "DataError",
    "DatabaseError",
    "IntegrityError",
    "InterfaceError",
    "NoSuchModuleError",
    "OperationalError",
    "PoolTimeout",
    "SQLAlchemyError",
]
