-- Partners' endpoints, the event types each subscribed to, and every attempt to deliver.

CREATE TABLE WebhookEndpoints (
  EndpointId TEXT NOT NULL,
  Url TEXT NOT NULL,
  Description TEXT NOT NULL,
  State TEXT NOT NULL,
  DisabledReason TEXT NOT NULL,
  -- JSON; the secrets in it are encrypted.
  Secrets TEXT NOT NULL,
  CreatedAtUtc TEXT NOT NULL,
  UpdatedAtUtc TEXT NOT NULL,
  CONSTRAINT PK_WebhookEndpoints PRIMARY KEY (EndpointId),
  CONSTRAINT CK_WebhookEndpoints_State CHECK (State IN ('enabled', 'disabled'))
) STRICT, WITHOUT ROWID;

CREATE TABLE WebhookSubscriptions (
  EventType TEXT NOT NULL,
  EndpointId TEXT NOT NULL,
  CONSTRAINT PK_WebhookSubscriptions PRIMARY KEY (EventType, EndpointId),
  CONSTRAINT FK_WebhookSubscriptions_WebhookEndpoints FOREIGN KEY (EndpointId) REFERENCES WebhookEndpoints (EndpointId)
) STRICT, WITHOUT ROWID;

CREATE INDEX IX_WebhookSubscriptions_Endpoint ON WebhookSubscriptions (EndpointId, EventType);

-- Position is the order of writing (an IDENTITY elsewhere). No foreign key: attempts outlive their endpoint.
CREATE TABLE WebhookDeliveries (
  Position INTEGER NOT NULL,
  EndpointId TEXT NOT NULL,
  WebhookId TEXT NOT NULL,
  EventId TEXT NOT NULL,
  EventType TEXT NOT NULL,
  Attempt INTEGER NOT NULL,
  AttemptedAtUtc TEXT NOT NULL,
  DurationMs INTEGER NOT NULL,
  Result TEXT NOT NULL,
  HttpStatus INTEGER,
  Reason TEXT NOT NULL,
  Answer TEXT NOT NULL,
  CONSTRAINT PK_WebhookDeliveries PRIMARY KEY (Position),
  CONSTRAINT CK_WebhookDeliveries_Attempt CHECK (Attempt > 0),
  CONSTRAINT CK_WebhookDeliveries_Result CHECK (Result IN ('delivered', 'failed'))
) STRICT;

CREATE INDEX IX_WebhookDeliveries_Endpoint ON WebhookDeliveries (EndpointId, Position);
CREATE INDEX IX_WebhookDeliveries_Delivered ON WebhookDeliveries (WebhookId) WHERE Result = 'delivered';
CREATE INDEX IX_WebhookDeliveries_Time ON WebhookDeliveries (AttemptedAtUtc);
