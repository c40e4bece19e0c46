"""How a routed call lives in LangChain: reading it, running it, binding it, stamping its answer."""
