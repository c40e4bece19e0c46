"""What another policy would have come to, from what one policy is recorded to have done.

Every function takes plain arrays, one value for each recorded request: the weight of the request, which is
the probability that the other policy gives to what was chosen, divided by the probability it was chosen with;
and the outcome. Nothing in here knows of stores or routers.
"""
