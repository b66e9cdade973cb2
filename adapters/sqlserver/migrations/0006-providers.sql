-- Operators' switches; a provider without a row was never paused.
CREATE TABLE dbo.Providers (
  Provider VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  State VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Actor NVARCHAR(400) NOT NULL,
  Reason NVARCHAR(MAX) NOT NULL,
  SinceUtc DATETIME2(3) NOT NULL,
  CONSTRAINT PK_Providers PRIMARY KEY CLUSTERED (Provider),
  CONSTRAINT CK_Providers_State CHECK (State IN ('running', 'paused'))
);

-- What each worker process last reported of its circuit breakers.
CREATE TABLE dbo.ProviderCircuits (
  Provider VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Process NVARCHAR(255) NOT NULL,
  State VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Reason NVARCHAR(MAX) NOT NULL,
  SinceUtc DATETIME2(3) NOT NULL,
  ReportedAtUtc DATETIME2(3) NOT NULL,
  CONSTRAINT PK_ProviderCircuits PRIMARY KEY CLUSTERED (Provider, Process),
  CONSTRAINT CK_ProviderCircuits_State CHECK (State IN ('closed', 'open', 'half-open'))
);
