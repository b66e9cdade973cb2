-- What an order was asked for with: a repeated request is told from another one also when its run is long gone.
ALTER TABLE Orders ADD COLUMN Fingerprint TEXT;
