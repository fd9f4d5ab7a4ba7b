"""
The adapter to Blooio, an HTTP gateway to iMessage, RCS and SMS.

`wire` puts the conversation into values, `client` carries them, `webhook` reads what Blooio tells us unasked. Blooio's
own words (`chat_id`, `protocol`, `external_id`) stay in this folder.
"""
