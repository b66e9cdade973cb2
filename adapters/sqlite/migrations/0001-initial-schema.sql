-- Tables without a rowid are clustered on their key: one B-tree to write for each, which is what a commit costs.
-- Times are ISO 8601 UTC with milliseconds, so text order is time order. Money is whole minor units.

CREATE TABLE Products (
  ProductId TEXT NOT NULL,
  Name TEXT NOT NULL,
  PriceMinor INTEGER NOT NULL,
  Currency TEXT NOT NULL,
  OnHand INTEGER NOT NULL,
  Reserved INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT PK_Products PRIMARY KEY (ProductId),
  CONSTRAINT CK_Products_PriceMinor CHECK (PriceMinor >= 0),
  CONSTRAINT CK_Products_Currency CHECK (length(Currency) = 3),
  CONSTRAINT CK_Products_Reserved CHECK (Reserved >= 0),
  -- What makes overselling impossible whatever a statement says.
  CONSTRAINT CK_Products_NotOversold CHECK (Reserved <= OnHand)
) STRICT, WITHOUT ROWID;

CREATE TABLE Orders (
  OrderId TEXT NOT NULL,
  CallerId TEXT NOT NULL,
  CustomerId TEXT NOT NULL,
  CustomerEmail TEXT NOT NULL,
  Currency TEXT NOT NULL,
  Items TEXT NOT NULL,
  TotalMinor INTEGER,
  PaymentMethodId TEXT NOT NULL,
  ShippingAddress TEXT NOT NULL,
  WorkflowId TEXT NOT NULL,
  RunId TEXT NOT NULL,
  TraceId TEXT NOT NULL,
  Status TEXT NOT NULL,
  SagaState TEXT NOT NULL,
  Step TEXT NOT NULL,
  Detail TEXT NOT NULL,
  EventSequence INTEGER NOT NULL DEFAULT 0,
  LastEventId TEXT,
  CreatedAtUtc TEXT NOT NULL,
  UpdatedAtUtc TEXT NOT NULL,
  CONSTRAINT PK_Orders PRIMARY KEY (OrderId),
  CONSTRAINT CK_Orders_TotalMinor CHECK (TotalMinor >= 0),
  CONSTRAINT CK_Orders_EventSequence CHECK (EventSequence >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE OrderLines (
  OrderId TEXT NOT NULL,
  LineNumber INTEGER NOT NULL,
  Kind TEXT NOT NULL,
  ProductId TEXT,
  Quantity INTEGER,
  AmountMinor INTEGER NOT NULL,
  CONSTRAINT PK_OrderLines PRIMARY KEY (OrderId, LineNumber),
  CONSTRAINT FK_OrderLines_Orders FOREIGN KEY (OrderId) REFERENCES Orders (OrderId),
  CONSTRAINT CK_OrderLines_Kind CHECK (Kind IN ('item', 'shipping', 'tax', 'discount')),
  CONSTRAINT CK_OrderLines_Quantity CHECK (Quantity > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE Reservations (
  OrderId TEXT NOT NULL,
  ProductId TEXT NOT NULL,
  Quantity INTEGER NOT NULL,
  State TEXT NOT NULL,
  CONSTRAINT PK_Reservations PRIMARY KEY (OrderId, ProductId),
  CONSTRAINT FK_Reservations_Orders FOREIGN KEY (OrderId) REFERENCES Orders (OrderId),
  CONSTRAINT CK_Reservations_Quantity CHECK (Quantity > 0),
  CONSTRAINT CK_Reservations_State CHECK (State IN ('reserved', 'released', 'consumed'))
) STRICT, WITHOUT ROWID;

CREATE TABLE Payments (
  OrderId TEXT NOT NULL,
  N INTEGER NOT NULL,
  State TEXT NOT NULL,
  AmountMinor INTEGER NOT NULL,
  Currency TEXT NOT NULL,
  IntentId TEXT,
  RefundId TEXT,
  CreateRequestedAtUtc TEXT NOT NULL,
  CreateKeyNumber INTEGER NOT NULL,
  ConfirmKeyNumber INTEGER NOT NULL,
  CONSTRAINT PK_Payments PRIMARY KEY (OrderId, N),
  CONSTRAINT FK_Payments_Orders FOREIGN KEY (OrderId) REFERENCES Orders (OrderId),
  CONSTRAINT CK_Payments_State CHECK (
    State IN ('creating', 'created', 'action_required', 'declined', 'charged', 'canceled', 'refunded')
  )
) STRICT, WITHOUT ROWID;

CREATE TABLE Fulfillments (
  OrderId TEXT NOT NULL,
  FulfillmentId TEXT NOT NULL,
  State TEXT NOT NULL,
  CreatedAtUtc TEXT NOT NULL,
  CancelledAtUtc TEXT,
  CONSTRAINT PK_Fulfillments PRIMARY KEY (OrderId),
  CONSTRAINT FK_Fulfillments_Orders FOREIGN KEY (OrderId) REFERENCES Orders (OrderId),
  CONSTRAINT CK_Fulfillments_State CHECK (State IN ('open', 'cancelled'))
) STRICT, WITHOUT ROWID;

CREATE TABLE Shipments (
  OrderId TEXT NOT NULL,
  N INTEGER NOT NULL,
  State TEXT NOT NULL,
  ProviderShipmentId TEXT,
  RateId TEXT,
  Carrier TEXT,
  Service TEXT,
  TrackingCode TEXT,
  LabelUrl TEXT,
  LabelCostAmount TEXT,
  LabelCostCurrency TEXT,
  CONSTRAINT PK_Shipments PRIMARY KEY (OrderId, N),
  CONSTRAINT FK_Shipments_Orders FOREIGN KEY (OrderId) REFERENCES Orders (OrderId),
  CONSTRAINT CK_Shipments_State CHECK (
    State IN ('creating', 'created', 'refused', 'bought', 'void_requested', 'voided')
  )
) STRICT, WITHOUT ROWID;

-- No foreign key to Orders: the operation that records the order begins before the order's row exists.
CREATE TABLE Operations (
  OperationKey TEXT NOT NULL,
  OrderId TEXT NOT NULL,
  Step TEXT NOT NULL,
  Fence INTEGER NOT NULL,
  Outcome TEXT,
  LeaseUntilUtc TEXT,
  CONSTRAINT PK_Operations PRIMARY KEY (OperationKey),
  CONSTRAINT CK_Operations_Fence CHECK (Fence > 0),
  CONSTRAINT CK_Operations_Lease CHECK (Outcome IS NULL OR LeaseUntilUtc IS NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX IX_Operations_Leased ON Operations (OrderId, Step) WHERE LeaseUntilUtc IS NOT NULL;

CREATE TABLE AuditLog (
  Subject TEXT NOT NULL,
  Seq INTEGER NOT NULL,
  PrevHash TEXT NOT NULL,
  Hash TEXT NOT NULL,
  Actor TEXT NOT NULL,
  Step TEXT NOT NULL,
  FromState TEXT NOT NULL,
  ToState TEXT NOT NULL,
  Reason TEXT NOT NULL,
  CausingEventId TEXT NOT NULL,
  WorkflowId TEXT NOT NULL,
  RunId TEXT NOT NULL,
  OccurredAtUtc TEXT NOT NULL,
  CONSTRAINT PK_AuditLog PRIMARY KEY (Subject, Seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER TR_AuditLog_NoUpdate BEFORE UPDATE ON AuditLog
BEGIN
  SELECT RAISE(ABORT, 'AuditLog is append-only: rows are never changed');
END;

CREATE TRIGGER TR_AuditLog_NoDelete BEFORE DELETE ON AuditLog
BEGIN
  SELECT RAISE(ABORT, 'AuditLog is append-only: rows are never deleted');
END;

-- Kept apart from the rows, so that a cut-off tail shows.
CREATE TABLE AuditHeads (
  Subject TEXT NOT NULL,
  Seq INTEGER NOT NULL,
  Hash TEXT NOT NULL,
  CONSTRAINT PK_AuditHeads PRIMARY KEY (Subject)
) STRICT, WITHOUT ROWID;

-- Position is the order of writing (an IDENTITY elsewhere). An unpublished row is never deleted, so a new position is
-- always above every pending one, also after a purge.
CREATE TABLE OutboxMessages (
  Position INTEGER NOT NULL,
  Id TEXT NOT NULL,
  OccurredAtUtc TEXT NOT NULL,
  Type TEXT NOT NULL,
  Payload TEXT NOT NULL,
  Destination TEXT NOT NULL,
  OrderId TEXT NOT NULL,
  Sequence INTEGER NOT NULL,
  PartitionNumber INTEGER NOT NULL,
  Priority INTEGER,
  Traceparent TEXT NOT NULL,
  Attempts INTEGER NOT NULL DEFAULT 0,
  LastError TEXT,
  SetAsideAtUtc TEXT,
  PublishedAtUtc TEXT,
  CONSTRAINT PK_OutboxMessages PRIMARY KEY (Position),
  CONSTRAINT CK_OutboxMessages_PartitionNumber CHECK (PartitionNumber BETWEEN 0 AND 15),
  CONSTRAINT CK_OutboxMessages_Priority CHECK (Priority BETWEEN 0 AND 10),
  CONSTRAINT CK_OutboxMessages_Sequence CHECK (Sequence >= 0)
) STRICT;

CREATE UNIQUE INDEX UX_OutboxMessages_Id ON OutboxMessages (Id);
CREATE UNIQUE INDEX UX_OutboxMessages_Event ON OutboxMessages (OrderId, Sequence) WHERE Sequence > 0;
-- What a relay asks for is answered from this index alone; it is as long as the backlog.
CREATE INDEX IX_OutboxMessages_Pending ON OutboxMessages (PartitionNumber, Position, OrderId)
  WHERE PublishedAtUtc IS NULL AND SetAsideAtUtc IS NULL;
CREATE INDEX IX_OutboxMessages_SetAside ON OutboxMessages (OrderId, Position)
  WHERE PublishedAtUtc IS NULL AND SetAsideAtUtc IS NOT NULL;
CREATE INDEX IX_OutboxMessages_Published ON OutboxMessages (PublishedAtUtc) WHERE PublishedAtUtc IS NOT NULL;

CREATE TABLE OutboxPartitions (
  PartitionNumber INTEGER NOT NULL,
  Owner TEXT,
  LeaseUntilUtc TEXT,
  CONSTRAINT PK_OutboxPartitions PRIMARY KEY (PartitionNumber),
  CONSTRAINT CK_OutboxPartitions_Lease CHECK ((Owner IS NULL) = (LeaseUntilUtc IS NULL))
) STRICT;

INSERT INTO OutboxPartitions (PartitionNumber)
VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15);

-- Relays that are alive, also those that hold nothing yet: a share is counted over all of them.
CREATE TABLE OutboxRelays (
  Owner TEXT NOT NULL,
  LeaseUntilUtc TEXT NOT NULL,
  CONSTRAINT PK_OutboxRelays PRIMARY KEY (Owner)
) STRICT, WITHOUT ROWID;

CREATE TABLE ProcessedEvents (
  Consumer TEXT NOT NULL,
  EventId TEXT NOT NULL,
  ProcessedAtUtc TEXT NOT NULL,
  CONSTRAINT PK_ProcessedEvents PRIMARY KEY (Consumer, EventId)
) STRICT, WITHOUT ROWID;
