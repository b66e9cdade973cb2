-- Acts that gave an order another payment method or address, each with the number of the attempt that it caused.
CREATE TABLE dbo.OrderActs (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  ActId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Kind VARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
  N INT NOT NULL,
  RecordedAtUtc DATETIME2(3) NOT NULL,
  CONSTRAINT PK_OrderActs PRIMARY KEY CLUSTERED (OrderId, ActId),
  CONSTRAINT FK_OrderActs_Orders FOREIGN KEY (OrderId) REFERENCES dbo.Orders (OrderId),
  CONSTRAINT CK_OrderActs_Kind CHECK (Kind IN ('payment', 'address')),
  CONSTRAINT CK_OrderActs_N CHECK (N > 1)
);

-- No two acts of an order ever share a number.
CREATE UNIQUE INDEX UX_OrderActs_Number ON dbo.OrderActs (OrderId, Kind, N);
