-- What carriers and customs need to know of one unit; NULL: not known. Since when a product is no longer sold.
ALTER TABLE dbo.Products ADD WeightGrams INT NULL CONSTRAINT CK_Products_WeightGrams CHECK (WeightGrams > 0);
ALTER TABLE dbo.Products ADD LengthMm INT NULL CONSTRAINT CK_Products_LengthMm CHECK (LengthMm > 0);
ALTER TABLE dbo.Products ADD WidthMm INT NULL CONSTRAINT CK_Products_WidthMm CHECK (WidthMm > 0);
ALTER TABLE dbo.Products ADD HeightMm INT NULL CONSTRAINT CK_Products_HeightMm CHECK (HeightMm > 0);
ALTER TABLE dbo.Products ADD HsCode VARCHAR(12) COLLATE Latin1_General_100_BIN2 NULL;
ALTER TABLE dbo.Products ADD OriginCountry CHAR(2) COLLATE Latin1_General_100_BIN2 NULL;
ALTER TABLE dbo.Products ADD CustomsDescription NVARCHAR(400) NULL;
ALTER TABLE dbo.Products ADD WithdrawnAtUtc DATETIME2(3) NULL;

-- What the order's parcel holds, as the catalog had it when the order was priced; NULL: an order of an older release.
ALTER TABLE dbo.Orders ADD Parcel NVARCHAR(MAX) NULL CONSTRAINT CK_Orders_Parcel CHECK (ISJSON(Parcel) = 1);
