"""The console's pages, one module per subject. They read with `hub.store.views` and act with `hub.flows.operate`."""
