"""A slow or busy machine is no reason for a property test to fail."""

from hypothesis import settings

settings.register_profile("surefoot", deadline=None)
settings.load_profile("surefoot")
