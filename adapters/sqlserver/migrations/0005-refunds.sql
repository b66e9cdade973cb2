-- Money given back, and charges that customers' banks dispute.
CREATE TABLE dbo.Refunds (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  RefundId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  N INT NOT NULL,
  State VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  AmountMinor BIGINT NOT NULL,
  Currency CHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
  ProviderRefundId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL,
  KeyNumber INT NOT NULL,
  Fingerprint VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Actor NVARCHAR(400) NOT NULL,
  Reason NVARCHAR(MAX) NOT NULL,
  Failure NVARCHAR(MAX) NULL,
  RequestedAtUtc DATETIME2(3) NOT NULL,
  SettledAtUtc DATETIME2(3) NULL,
  CONSTRAINT PK_Refunds PRIMARY KEY CLUSTERED (OrderId, RefundId),
  CONSTRAINT FK_Refunds_Orders FOREIGN KEY (OrderId) REFERENCES dbo.Orders (OrderId),
  CONSTRAINT CK_Refunds_AmountMinor CHECK (AmountMinor > 0),
  CONSTRAINT CK_Refunds_State CHECK (State IN ('requested', 'pending', 'refunded', 'failed'))
);

-- What is asked for every few seconds; as long as what waits.
CREATE INDEX IX_Refunds_Undecided ON dbo.Refunds (State, RequestedAtUtc)
WHERE State IN ('requested', 'pending');

-- What compensations refunded until now.
INSERT INTO dbo.Refunds (
  OrderId, RefundId, N, State, AmountMinor, Currency, ProviderRefundId, KeyNumber, Fingerprint, Actor, Reason,
  RequestedAtUtc, SettledAtUtc
)
SELECT
  Payments.OrderId, CONCAT('compensation-', Payments.N), Payments.N, 'refunded', Payments.AmountMinor,
  Payments.Currency, Payments.RefundId, 1, '', N'saga', N'compensation', Orders.UpdatedAtUtc, Orders.UpdatedAtUtc
FROM dbo.Payments AS Payments
INNER JOIN dbo.Orders AS Orders ON Orders.OrderId = Payments.OrderId
WHERE Payments.State = 'refunded' AND Payments.AmountMinor > 0;

CREATE TABLE dbo.Disputes (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  DisputeId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  N INT NOT NULL,
  State VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  AmountMinor BIGINT NOT NULL,
  Currency CHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Reason NVARCHAR(MAX) NOT NULL,
  OpenedAtUtc DATETIME2(3) NOT NULL,
  UpdatedAtUtc DATETIME2(3) NOT NULL,
  CONSTRAINT PK_Disputes PRIMARY KEY CLUSTERED (OrderId, DisputeId),
  CONSTRAINT FK_Disputes_Orders FOREIGN KEY (OrderId) REFERENCES dbo.Orders (OrderId),
  CONSTRAINT CK_Disputes_State CHECK (State IN ('inquiry', 'open', 'won', 'lost'))
);

-- A customer's orders, for erasing personal data.
CREATE INDEX IX_Orders_Customer ON dbo.Orders (CustomerId, OrderId)
INCLUDE (Status);
