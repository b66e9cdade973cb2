-- Acts that gave an order another payment method or address, each with the number of the attempt that it caused.
CREATE TABLE OrderActs (
  OrderId TEXT NOT NULL,
  ActId TEXT NOT NULL,
  Kind TEXT NOT NULL,
  N INTEGER NOT NULL,
  RecordedAtUtc TEXT NOT NULL,
  CONSTRAINT PK_OrderActs PRIMARY KEY (OrderId, ActId),
  CONSTRAINT FK_OrderActs_Orders FOREIGN KEY (OrderId) REFERENCES Orders (OrderId),
  CONSTRAINT CK_OrderActs_Kind CHECK (Kind IN ('payment', 'address')),
  CONSTRAINT CK_OrderActs_N CHECK (N > 1)
) STRICT, WITHOUT ROWID;

-- No two acts of an order ever share a number.
CREATE UNIQUE INDEX UX_OrderActs_Number ON OrderActs (OrderId, Kind, N);
