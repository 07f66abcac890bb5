# Die wenigen Bilder einer Sitzung, und der Bericht zum Mitnehmen.

stills-title = Bilder
stills-enrolment = Zu Beginn
still-title = Bild bei { $at }
still-alt-face = Bild bei { $at }, das Gesicht umrandet
still-alt-no-face = Bild bei { $at }; kein Gesicht wurde darin vermessen
still-alt-chip = Das Gesicht bei { $at }, ausgeschnitten
still-face-px = Gesicht { WHOLE($px) } px hoch
still-marks = Messungen einblenden
still-measured = Was gemessen wurde
still-faces = Gesichter im Bild
still-height = Höhe des Gesichts
still-sharpness = Schärfe
still-exposure = Belichtung
still-confidence = Sicherheit des Detektors
still-pose = Haltung des Kopfes
still-pose-words = gedreht { FIXED($yaw, 0) }°, auf oder ab { FIXED($pitch, 0) }°, geneigt { FIXED($roll, 0) }°
still-presentation = Foto oder Bildschirm, Angriffswert
still-deepfake = Tauschwert
still-kept = Aufbewahrt
still-digest = SHA-256 des Bildes
still-before = Voriges Bild
still-after = Nächstes Bild
still-broken = Verändert oder verloren: nicht gezeigt
still-broken-short = nicht gezeigt
still-gap-no-images = Kein Bild: diese Sitzung bewahrt keines auf.
still-gap-no-picture = Kein Bild: keines zeigt es gut genug.
still-gap-full = Kein Bild: die Sitzung hat so viele, wie sie aufbewahren darf.
still-gap-not-kept = Kein Bild: es konnte nicht geschrieben werden.
still-gap-expired = Kein Bild: seine Zeit war um.
still-gap-broken = Das Bild wurde verändert, nachdem es aufbewahrt war, oder sein Schlüssel fehlt; es wird nicht gezeigt.

export-title = Bericht
export-explained = Was die Seite sagt, zum Mitnehmen: mit Gründen, Entscheidungen, Versionen, Prüfsummen und Grenzen. Jeder Export steht im Protokoll.
export-pdf = PDF
export-json = JSON
export-signed = Beides, signiert (ZIP)
