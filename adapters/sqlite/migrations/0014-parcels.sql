-- What carriers and customs need to know of one unit; NULL: not known. Since when a product is no longer sold.
ALTER TABLE Products ADD COLUMN WeightGrams INTEGER
  CONSTRAINT CK_Products_WeightGrams CHECK (WeightGrams > 0);
ALTER TABLE Products ADD COLUMN LengthMm INTEGER
  CONSTRAINT CK_Products_LengthMm CHECK (LengthMm > 0);
ALTER TABLE Products ADD COLUMN WidthMm INTEGER
  CONSTRAINT CK_Products_WidthMm CHECK (WidthMm > 0);
ALTER TABLE Products ADD COLUMN HeightMm INTEGER
  CONSTRAINT CK_Products_HeightMm CHECK (HeightMm > 0);
ALTER TABLE Products ADD COLUMN HsCode TEXT;
ALTER TABLE Products ADD COLUMN OriginCountry TEXT;
ALTER TABLE Products ADD COLUMN CustomsDescription TEXT;
ALTER TABLE Products ADD COLUMN WithdrawnAtUtc TEXT;

-- What the order's parcel holds, as the catalog had it when the order was priced; NULL: an order of an older release.
ALTER TABLE Orders ADD COLUMN Parcel TEXT;
