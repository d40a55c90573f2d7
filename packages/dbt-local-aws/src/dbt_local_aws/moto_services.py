"""moto's services behind one address, as its own server has them."""

from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app


class MotoServices(DomainDispatcherApplication):
    """Moto's dispatcher. For which service a host stands it looks up once, not in moto's folders at every request."""

    def __init__(self) -> None:
        """Makes a service when it is first asked for."""
        super().__init__(create_backend_app)
        self._services: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:  # noqa: ANN401 - moto's
        """The name of the service, or None."""
        if host not in self._services:
            self._services[host] = super().get_backend_for_host(host)
        return self._services[host]
