-- What an order was asked for with: a repeated request is told from another one also when its run is long gone.
ALTER TABLE dbo.Orders ADD Fingerprint VARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL;
