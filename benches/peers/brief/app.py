"""The smallest shop that follows the original design: FastAPI, SQLAlchemy, PostgreSQL.

The design's code could not place an order; what was missing is filled in here in the same manner.
Stock is checked and then written, as the design does it, so two orders at once can both see, and both
write, the same number. That oversells, and it is left so on purpose.
"""

import json
import os
import sys
import uuid
from datetime import datetime, timezone
from decimal import Decimal

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, Numeric, String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

CUSTOMER = "00000000-0000-0000-0000-000000000001"

# Two processes with at most 20 connections each stay below PostgreSQL's 100.
engine = create_engine(os.environ["DATABASE_URL"], pool_size=16, max_overflow=4)
new_session = sessionmaker(engine)
app = FastAPI()


def new_id() -> str:
    return str(uuid.uuid4())


def now() -> datetime:
    return datetime.now(timezone.utc)


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "products"
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(String(1000))
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    category: Mapped[str] = mapped_column(String(100), index=True)
    status: Mapped[str] = mapped_column(String(20), default="active", index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)


class Inventory(Base):
    __tablename__ = "inventory"
    product_id: Mapped[str] = mapped_column(ForeignKey("products.id"), primary_key=True)
    available: Mapped[int]


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(255))


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    total_amount: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    status: Mapped[str] = mapped_column(String(20), index=True)
    payment_status: Mapped[str] = mapped_column(String(20))
    shipping_address: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(default=now)
    items: Mapped[list["OrderItem"]] = relationship()


class OrderItem(Base):
    __tablename__ = "order_items"
    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("products.id"), index=True)
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    subtotal: Mapped[Decimal] = mapped_column(Numeric(10, 2))


class ProductResponse(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: str
    name: str
    description: str
    price: Decimal
    category: str
    status: str
    created_at: datetime
    updated_at: datetime


class Line(BaseModel):
    product_id: str
    quantity: int = Field(gt=0)


class OrderCreate(BaseModel):
    customer_id: str
    items: list[Line] = Field(min_length=1)
    shipping_address: dict[str, str]


def session():
    with new_session() as open_session:
        yield open_session


# Handlers that wait for the database are plain functions, which FastAPI runs in threads.
@app.get("/products/{product_id}", response_model=ProductResponse)
def get_product(product_id: str, db: Session = Depends(session)):
    product = db.get(Product, product_id)
    if product is None:
        raise HTTPException(404, "product not found")
    return product


@app.get("/products", response_model=list[ProductResponse])
def get_products(limit: int = 20, db: Session = Depends(session)):
    return db.scalars(select(Product).order_by(Product.id).limit(min(limit, 100))).all()


@app.post("/orders", status_code=201)
def create_order(body: OrderCreate, db: Session = Depends(session)):
    order = Order(
        customer_id=body.customer_id,
        status="pending",
        payment_status="pending",
        shipping_address=json.dumps(body.shipping_address),
    )
    stocks = []
    for line in body.items:
        product = db.get(Product, line.product_id)
        stock = db.get(Inventory, line.product_id)
        if product is None or product.status != "active":
            raise HTTPException(400, "product not available")
        if stock is None or stock.available < line.quantity:  # check ...
            raise HTTPException(400, "out of stock")
        stocks.append((stock, line.quantity))
        order.items.append(
            OrderItem(
                product_id=product.id,
                quantity=line.quantity,
                unit_price=product.price,
                subtotal=product.price * line.quantity,
            )
        )
    order.total_amount = sum(item.subtotal for item in order.items)
    if process_payment(order)["status"] != "success":
        raise HTTPException(400, "payment failed")
    order.payment_status = "completed"
    order.status = "confirmed"
    for stock, quantity in stocks:
        stock.available = stock.available - quantity  # ... then act
    db.add(order)
    db.commit()
    return {"order_id": order.id, "status": order.status}


def process_payment(order: Order) -> dict[str, str]:
    """Succeeds, as in the design."""
    return {"status": "success", "transaction_id": new_id()}


def seed(catalogue: str, on_hand: int) -> None:
    """Makes the tables and fills them with the demo's catalogue."""
    Base.metadata.create_all(engine)
    with open(catalogue, encoding="utf-8") as file, new_session() as db:
        db.add(Customer(id=CUSTOMER, email="customer@example.com", name="Demo"))
        for entry in json.load(file):
            fields = {name: entry[name] for name in ("name", "description", "category")}
            product = Product(id=new_id(), price=Decimal(entry["price"]), **fields)
            db.add(product)
            db.flush()
            db.add(Inventory(product_id=product.id, available=on_hand))
        db.commit()


if __name__ == "__main__":
    seed(sys.argv[1], int(sys.argv[2]))
