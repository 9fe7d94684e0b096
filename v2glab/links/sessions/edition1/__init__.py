"""What both ends of DIN SPEC 70121 and ISO 15118-2 have in common: values, order of messages, the DC loop."""

#: Energy transfer mode of the combined connector (DIN SPEC 70121:2014, table 78; ISO 15118-2:2014, table 63).
DC_MODE = "DC_extended"
#: Service of charging (ISO 15118-2:2014, table 105).
CHARGE_SERVICE = 1
