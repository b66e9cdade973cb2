-- Money given back, and charges that customers' banks dispute.
CREATE TABLE Refunds (
  OrderId TEXT NOT NULL,
  RefundId TEXT NOT NULL,
  N INTEGER NOT NULL,
  State TEXT NOT NULL,
  AmountMinor INTEGER NOT NULL,
  Currency TEXT NOT NULL,
  ProviderRefundId TEXT,
  KeyNumber INTEGER NOT NULL,
  Fingerprint TEXT NOT NULL,
  Actor TEXT NOT NULL,
  Reason TEXT NOT NULL,
  Failure TEXT,
  RequestedAtUtc TEXT NOT NULL,
  SettledAtUtc TEXT,
  CONSTRAINT PK_Refunds PRIMARY KEY (OrderId, RefundId),
  CONSTRAINT FK_Refunds_Orders FOREIGN KEY (OrderId) REFERENCES Orders (OrderId),
  CONSTRAINT CK_Refunds_AmountMinor CHECK (AmountMinor > 0),
  CONSTRAINT CK_Refunds_State CHECK (State IN ('requested', 'pending', 'refunded', 'failed'))
) STRICT, WITHOUT ROWID;

-- What is asked for every few seconds; as long as what waits.
CREATE INDEX IX_Refunds_Undecided ON Refunds (State, RequestedAtUtc) WHERE State IN ('requested', 'pending');

-- What compensations refunded until now.
INSERT INTO Refunds (OrderId, RefundId, N, State, AmountMinor, Currency, ProviderRefundId, KeyNumber, Fingerprint, Actor,
  Reason, RequestedAtUtc, SettledAtUtc)
SELECT Payments.OrderId, 'compensation-' || Payments.N, Payments.N, 'refunded', Payments.AmountMinor, Payments.Currency,
  Payments.RefundId, 1, '', 'saga', 'compensation', Orders.UpdatedAtUtc, Orders.UpdatedAtUtc
FROM Payments INNER JOIN Orders ON Orders.OrderId = Payments.OrderId
WHERE Payments.State = 'refunded' AND Payments.AmountMinor > 0;

CREATE TABLE Disputes (
  OrderId TEXT NOT NULL,
  DisputeId TEXT NOT NULL,
  N INTEGER NOT NULL,
  State TEXT NOT NULL,
  AmountMinor INTEGER NOT NULL,
  Currency TEXT NOT NULL,
  Reason TEXT NOT NULL,
  OpenedAtUtc TEXT NOT NULL,
  UpdatedAtUtc TEXT NOT NULL,
  CONSTRAINT PK_Disputes PRIMARY KEY (OrderId, DisputeId),
  CONSTRAINT FK_Disputes_Orders FOREIGN KEY (OrderId) REFERENCES Orders (OrderId),
  CONSTRAINT CK_Disputes_State CHECK (State IN ('inquiry', 'open', 'won', 'lost'))
) STRICT, WITHOUT ROWID;

-- A customer's orders, for erasing personal data.
CREATE INDEX IX_Orders_Customer ON Orders (CustomerId, OrderId);
