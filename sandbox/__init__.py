"""
A Slack and a Blooio on your own machine, speaking their real protocols over real sockets.

It answers from the two vendors' documents and imports nothing of the bot, so it can disagree with it.
"""
