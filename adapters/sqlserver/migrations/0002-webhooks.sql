-- Partners' endpoints, the event types each subscribed to, and every attempt to deliver.

CREATE TABLE dbo.WebhookEndpoints (
  EndpointId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Url NVARCHAR(MAX) NOT NULL,
  Description NVARCHAR(MAX) NOT NULL,
  State VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  DisabledReason NVARCHAR(MAX) NOT NULL,
  -- JSON; the secrets in it are encrypted.
  Secrets NVARCHAR(MAX) NOT NULL,
  CreatedAtUtc DATETIME2(3) NOT NULL,
  UpdatedAtUtc DATETIME2(3) NOT NULL,
  CONSTRAINT PK_WebhookEndpoints PRIMARY KEY CLUSTERED (EndpointId),
  CONSTRAINT CK_WebhookEndpoints_Secrets CHECK (ISJSON(Secrets) = 1),
  CONSTRAINT CK_WebhookEndpoints_State CHECK (State IN ('enabled', 'disabled'))
);

CREATE TABLE dbo.WebhookSubscriptions (
  EventType VARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  EndpointId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CONSTRAINT PK_WebhookSubscriptions PRIMARY KEY CLUSTERED (EventType, EndpointId),
  CONSTRAINT FK_WebhookSubscriptions_WebhookEndpoints FOREIGN KEY (EndpointId)
  REFERENCES dbo.WebhookEndpoints (EndpointId)
);

CREATE INDEX IX_WebhookSubscriptions_Endpoint ON dbo.WebhookSubscriptions (EndpointId, EventType);

-- Clustered as it is listed, one end for each endpoint to insert at. No foreign key: attempts outlive their endpoint.
CREATE TABLE dbo.WebhookDeliveries (
  Position BIGINT IDENTITY(1, 1) NOT NULL,
  EndpointId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  WebhookId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  EventId VARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  EventType VARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Attempt INT NOT NULL,
  AttemptedAtUtc DATETIME2(3) NOT NULL,
  DurationMs INT NOT NULL,
  Result VARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
  HttpStatus INT NULL,
  Reason NVARCHAR(MAX) NOT NULL,
  Answer NVARCHAR(2000) NOT NULL,
  CONSTRAINT PK_WebhookDeliveries PRIMARY KEY CLUSTERED (EndpointId, Position),
  CONSTRAINT CK_WebhookDeliveries_Attempt CHECK (Attempt > 0),
  CONSTRAINT CK_WebhookDeliveries_Result CHECK (Result IN ('delivered', 'failed'))
);

CREATE INDEX IX_WebhookDeliveries_Delivered ON dbo.WebhookDeliveries (WebhookId)
WHERE Result = 'delivered';

CREATE INDEX IX_WebhookDeliveries_Time ON dbo.WebhookDeliveries (AttemptedAtUtc);
