//! JSON-RPC over HTTP on unix sockets: client, server, handshake, discovery.
