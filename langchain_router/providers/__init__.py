"""How providers are reached. The only package that knows LiteLLM."""
