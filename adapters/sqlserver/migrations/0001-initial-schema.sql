-- Ids are CHAR or VARCHAR, not UNIQUEIDENTIFIER: the same text is in workflow ids, operation keys, events and hashes, so
-- no case or byte order is ever changed on the way. They compare by their bytes (BIN2): exact, cheap, and independent
-- of the database's collation. Text of people is NVARCHAR in the database's collation and never compared.
-- Times are DATETIME2(3) in UTC. Money is whole minor units (BIGINT) with an ISO 4217 code.
-- The hot tables cluster on keys that begin with an order's random id (or, in the outbox, with its partition), so that
-- inserts of many connections spread over many pages instead of queueing for the last one.

CREATE TABLE dbo.Products (
  ProductId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Name NVARCHAR(400) NOT NULL,
  PriceMinor BIGINT NOT NULL,
  Currency CHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
  OnHand INT NOT NULL,
  Reserved INT NOT NULL CONSTRAINT DF_Products_Reserved DEFAULT (0),
  CONSTRAINT PK_Products PRIMARY KEY CLUSTERED (ProductId),
  CONSTRAINT CK_Products_PriceMinor CHECK (PriceMinor >= 0),
  CONSTRAINT CK_Products_Reserved CHECK (Reserved >= 0),
  -- What makes overselling impossible whatever a statement says.
  CONSTRAINT CK_Products_NotOversold CHECK (Reserved <= OnHand)
);

CREATE TABLE dbo.Orders (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CallerId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CustomerId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CustomerEmail NVARCHAR(320) NOT NULL,
  Currency CHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Items NVARCHAR(MAX) NOT NULL,
  TotalMinor BIGINT NULL,
  PaymentMethodId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  ShippingAddress NVARCHAR(MAX) NOT NULL,
  WorkflowId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  RunId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  TraceId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Status VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  SagaState VARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Step VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Detail NVARCHAR(MAX) NOT NULL,
  EventSequence INT NOT NULL CONSTRAINT DF_Orders_EventSequence DEFAULT (0),
  LastEventId CHAR(36) COLLATE Latin1_General_100_BIN2 NULL,
  -- The event before the last: what the statement that numbers an event returns besides its number.
  PreviousEventId CHAR(36) COLLATE Latin1_General_100_BIN2 NULL,
  CreatedAtUtc DATETIME2(3) NOT NULL,
  UpdatedAtUtc DATETIME2(3) NOT NULL,
  CONSTRAINT PK_Orders PRIMARY KEY CLUSTERED (OrderId),
  CONSTRAINT CK_Orders_Items CHECK (ISJSON(Items) = 1),
  CONSTRAINT CK_Orders_TotalMinor CHECK (TotalMinor >= 0),
  CONSTRAINT CK_Orders_ShippingAddress CHECK (ISJSON(ShippingAddress) = 1),
  CONSTRAINT CK_Orders_Detail CHECK (ISJSON(Detail) = 1),
  CONSTRAINT CK_Orders_EventSequence CHECK (EventSequence >= 0)
);

CREATE TABLE dbo.OrderLines (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  LineNumber INT NOT NULL,
  Kind VARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
  ProductId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
  Quantity INT NULL,
  AmountMinor BIGINT NOT NULL,
  CONSTRAINT PK_OrderLines PRIMARY KEY CLUSTERED (OrderId, LineNumber),
  CONSTRAINT FK_OrderLines_Orders FOREIGN KEY (OrderId) REFERENCES dbo.Orders (OrderId),
  CONSTRAINT CK_OrderLines_Kind CHECK (Kind IN ('item', 'shipping', 'tax', 'discount')),
  CONSTRAINT CK_OrderLines_Quantity CHECK (Quantity > 0)
);

CREATE TABLE dbo.Reservations (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  ProductId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Quantity INT NOT NULL,
  State VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CONSTRAINT PK_Reservations PRIMARY KEY CLUSTERED (OrderId, ProductId),
  CONSTRAINT FK_Reservations_Orders FOREIGN KEY (OrderId) REFERENCES dbo.Orders (OrderId),
  CONSTRAINT CK_Reservations_Quantity CHECK (Quantity > 0),
  CONSTRAINT CK_Reservations_State CHECK (State IN ('reserved', 'released', 'consumed'))
);

CREATE TABLE dbo.Payments (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  N INT NOT NULL,
  State VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  AmountMinor BIGINT NOT NULL,
  Currency CHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
  IntentId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL,
  RefundId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL,
  CreateRequestedAtUtc DATETIME2(3) NOT NULL,
  CreateKeyNumber INT NOT NULL,
  ConfirmKeyNumber INT NOT NULL,
  CONSTRAINT PK_Payments PRIMARY KEY CLUSTERED (OrderId, N),
  CONSTRAINT FK_Payments_Orders FOREIGN KEY (OrderId) REFERENCES dbo.Orders (OrderId),
  CONSTRAINT CK_Payments_State CHECK (
    State IN ('creating', 'created', 'action_required', 'declined', 'charged', 'canceled', 'refunded')
  )
);

CREATE TABLE dbo.Fulfillments (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  FulfillmentId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  State VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CreatedAtUtc DATETIME2(3) NOT NULL,
  CancelledAtUtc DATETIME2(3) NULL,
  CONSTRAINT PK_Fulfillments PRIMARY KEY CLUSTERED (OrderId),
  CONSTRAINT FK_Fulfillments_Orders FOREIGN KEY (OrderId) REFERENCES dbo.Orders (OrderId),
  CONSTRAINT CK_Fulfillments_State CHECK (State IN ('open', 'cancelled'))
);

CREATE TABLE dbo.Shipments (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  N INT NOT NULL,
  State VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  ProviderShipmentId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL,
  RateId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL,
  Carrier NVARCHAR(100) NULL,
  Service NVARCHAR(100) NULL,
  TrackingCode NVARCHAR(100) NULL,
  LabelUrl NVARCHAR(2048) NULL,
  LabelCostAmount VARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL,
  LabelCostCurrency CHAR(3) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT PK_Shipments PRIMARY KEY CLUSTERED (OrderId, N),
  CONSTRAINT FK_Shipments_Orders FOREIGN KEY (OrderId) REFERENCES dbo.Orders (OrderId),
  CONSTRAINT CK_Shipments_State CHECK (
    State IN ('creating', 'created', 'refused', 'bought', 'void_requested', 'voided')
  )
);

-- No foreign key to Orders: the operation that records the order begins before the order's row exists.
CREATE TABLE dbo.Operations (
  OperationKey VARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Step VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Fence INT NOT NULL,
  Outcome NVARCHAR(MAX) NULL,
  LeaseUntilUtc DATETIME2(3) NULL,
  CONSTRAINT PK_Operations PRIMARY KEY CLUSTERED (OperationKey),
  CONSTRAINT CK_Operations_Fence CHECK (Fence > 0),
  CONSTRAINT CK_Operations_Outcome CHECK (ISJSON(Outcome) = 1),
  CONSTRAINT CK_Operations_Lease CHECK (Outcome IS NULL OR LeaseUntilUtc IS NULL)
);

CREATE INDEX IX_Operations_Leased ON dbo.Operations (OrderId, Step, LeaseUntilUtc)
WHERE LeaseUntilUtc IS NOT NULL;

CREATE TABLE dbo.AuditLog (
  Subject VARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Seq INT NOT NULL,
  PrevHash CHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Hash CHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Actor NVARCHAR(400) NOT NULL,
  Step VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  FromState NVARCHAR(MAX) NOT NULL,
  ToState NVARCHAR(MAX) NOT NULL,
  Reason NVARCHAR(MAX) NOT NULL,
  CausingEventId NVARCHAR(400) NOT NULL,
  WorkflowId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  RunId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  OccurredAtUtc DATETIME2(3) NOT NULL,
  CONSTRAINT PK_AuditLog PRIMARY KEY CLUSTERED (Subject, Seq)
);

-- Kept apart from the rows, so that a cut-off tail shows. Seq is 0 between a subject's first two statements only.
CREATE TABLE dbo.AuditHeads (
  Subject VARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Seq INT NOT NULL,
  Hash CHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CONSTRAINT PK_AuditHeads PRIMARY KEY CLUSTERED (Subject)
);

-- Position is the order of writing: taken while the order's row is locked, so it follows the order's events.
CREATE TABLE dbo.OutboxMessages (
  Position BIGINT IDENTITY(1, 1) NOT NULL,
  Id VARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  OccurredAtUtc DATETIME2(3) NOT NULL,
  Type VARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Payload NVARCHAR(MAX) NOT NULL,
  Destination VARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Sequence INT NOT NULL,
  PartitionNumber TINYINT NOT NULL,
  Priority TINYINT NULL,
  Traceparent VARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Attempts INT NOT NULL CONSTRAINT DF_OutboxMessages_Attempts DEFAULT (0),
  LastError NVARCHAR(2000) NULL,
  SetAsideAtUtc DATETIME2(3) NULL,
  PublishedAtUtc DATETIME2(3) NULL,
  -- Sixteen ends to insert at instead of one.
  CONSTRAINT PK_OutboxMessages PRIMARY KEY CLUSTERED (PartitionNumber, Position),
  CONSTRAINT CK_OutboxMessages_Payload CHECK (ISJSON(Payload) = 1),
  CONSTRAINT CK_OutboxMessages_PartitionNumber CHECK (PartitionNumber BETWEEN 0 AND 15),
  CONSTRAINT CK_OutboxMessages_Priority CHECK (Priority BETWEEN 0 AND 10),
  CONSTRAINT CK_OutboxMessages_Sequence CHECK (Sequence >= 0)
);

CREATE UNIQUE INDEX UX_OutboxMessages_Id ON dbo.OutboxMessages (Id);

CREATE UNIQUE INDEX UX_OutboxMessages_Event ON dbo.OutboxMessages (OrderId, Sequence)
WHERE Sequence > 0;

-- What a relay asks for is found in this index alone; it is as long as the backlog.
CREATE INDEX IX_OutboxMessages_Pending ON dbo.OutboxMessages (PartitionNumber, Position)
INCLUDE (OrderId)
WHERE PublishedAtUtc IS NULL AND SetAsideAtUtc IS NULL;

CREATE INDEX IX_OutboxMessages_SetAside ON dbo.OutboxMessages (OrderId, Position)
WHERE PublishedAtUtc IS NULL AND SetAsideAtUtc IS NOT NULL;

CREATE INDEX IX_OutboxMessages_Published ON dbo.OutboxMessages (PublishedAtUtc)
WHERE PublishedAtUtc IS NOT NULL;

CREATE TABLE dbo.OutboxPartitions (
  PartitionNumber TINYINT NOT NULL,
  Owner VARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
  LeaseUntilUtc DATETIME2(3) NULL,
  CONSTRAINT PK_OutboxPartitions PRIMARY KEY CLUSTERED (PartitionNumber),
  CONSTRAINT CK_OutboxPartitions_Lease CHECK (
    (Owner IS NULL AND LeaseUntilUtc IS NULL) OR (Owner IS NOT NULL AND LeaseUntilUtc IS NOT NULL)
  )
);

INSERT INTO dbo.OutboxPartitions (PartitionNumber)
VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15);

-- Relays that are alive, also those that hold nothing yet: a share is counted over all of them.
CREATE TABLE dbo.OutboxRelays (
  Owner VARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  LeaseUntilUtc DATETIME2(3) NOT NULL,
  CONSTRAINT PK_OutboxRelays PRIMARY KEY CLUSTERED (Owner)
);

CREATE TABLE dbo.ProcessedEvents (
  Consumer VARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  EventId VARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  ProcessedAtUtc DATETIME2(3) NOT NULL,
  CONSTRAINT PK_ProcessedEvents PRIMARY KEY CLUSTERED (Consumer, EventId)
);
GO

CREATE TRIGGER dbo.TR_AuditLog_AppendOnly ON dbo.AuditLog
AFTER UPDATE, DELETE
AS
BEGIN
  THROW 51000, 'AuditLog is append-only: rows are never changed or deleted', 1;
END;
