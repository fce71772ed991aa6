package mqtt

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"
	v5packets "github.com/eclipse/paho.golang/packets"
	v5 "github.com/eclipse/paho.golang/paho"
	v3 "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/storage/receipt"
)

// transports are all roads in: the gateway's listeners, and its handler mounted in
// another server with and without TLS.
func transports(t *testing.T, f func(t *testing.T, r *rig, url string, trust *tls.Config)) {
	server, trust := testTLS(t)
	withTLS := func(o *Options) { o.TLS = server }
	for scheme, transport := range map[string]Transport{"tcp": TCP, "ssl": TLS, "ws": WS, "wss": WSS} {
		t.Run(transport.String(), func(t *testing.T) {
			r := newRig(t, withTLS)
			f(t, r, scheme+"://"+r.listen(transport)+"/mqtt", trust)
		})
	}
	for scheme, start := range map[string]func(*httptest.Server){
		"ws": (*httptest.Server).Start, "wss": (*httptest.Server).StartTLS,
	} {
		t.Run("mounted "+scheme, func(t *testing.T) {
			r := newRig(t)
			web := httptest.NewUnstartedServer(r.Handler())
			web.TLS = server.Clone()
			t.Cleanup(web.Close)
			start(web)
			f(t, r, scheme+"://"+web.Listener.Addr().String()+"/mqtt", trust)
		})
	}
}

func TestTransports_Paho311(t *testing.T) {
	transports(t, func(t *testing.T, r *rig, url string, trust *tls.Config) {
		messages := make(chan v3.Message, 10)
		o := v3.NewClientOptions().AddBroker(url).SetClientID("lift-1").SetUsername("lift-1").
			SetPassword(secretOf("lift-1")).SetProtocolVersion(4).SetTLSConfig(trust).SetAutoReconnect(false).
			SetWill(contract.TopicState("lift-1"), `{"state":"lost","session":1}`, 1, true)
		client := v3.NewClient(o)
		done := func(token v3.Token) {
			t.Helper()
			require.True(t, token.WaitTimeout(patience))
			require.NoError(t, token.Error())
		}
		done(client.Connect())
		defer client.Disconnect(0)
		done(client.SubscribeMultiple(map[string]byte{contract.TopicNow: 1, ownFilterOf("lift-1"): 1},
			func(_ v3.Client, m v3.Message) { messages <- m }))

		r.Set(holds("manifest", alertTo("flood", 1, 1)))
		body := <-messages
		require.Equal(t, contract.TopicAlert("lift-1", string(alertID("flood"))), body.Topic())
		require.Equal(t, "body of flood 1", string(body.Payload()))
		require.Equal(t, "manifest", string((<-messages).Payload()))
		r.receipts.awaitRung(t, 1, receipt.Delivered)

		r.receipts.tell(func() { r.receipts.hold = true })
		for _, qos := range []byte{1, 2} {
			token := client.Publish(receiptTopic, qos, false, receiptsJSON("presented", "flood"))
			r.receipts.await(t, "receipt", func() bool { return len(r.receipts.dones) == 1 })
			select {
			case <-token.Done():
				require.Fail(t, "acknowledged before it was durable")
			default:
			}
			r.receipts.tell(func() { r.receipts.dones[0](nil); r.receipts.dones = nil })
			done(token)
		}
		client.Disconnect(100)
		r.hooks.awaitTold(t, "lift-1 up false")
	})
}

func TestTransports_Paho5(t *testing.T) {
	transports(t, func(t *testing.T, r *rig, url string, trust *tls.Config) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		messages := make(chan *v5.Publish, 10)
		client := v5.NewClient(v5.ClientConfig{
			Conn: v5packets.NewThreadSafeConn(dialURL(t, url, trust)), // it pings while it writes
			OnPublishReceived: []func(v5.PublishReceived) (bool, error){
				func(p v5.PublishReceived) (bool, error) { messages <- p.Packet; return true, nil },
			},
		})
		_, err := client.Connect(ctx, &v5.Connect{
			ClientID: "lift-1", Username: "lift-1", UsernameFlag: true, PasswordFlag: true,
			Password: []byte(secretOf("lift-1")), CleanStart: true, KeepAlive: 30,
		})
		require.NoError(t, err)
		_, err = client.Subscribe(ctx, &v5.Subscribe{Subscriptions: []v5.SubscribeOptions{
			{Topic: contract.TopicNow, QoS: 1}, {Topic: ownFilterOf("lift-1"), QoS: 1},
		}})
		require.NoError(t, err)

		r.Set(holds("manifest", alertTo("flood", 1, 1)))
		require.Equal(t, "body of flood 1", string((<-messages).Payload))
		require.Equal(t, "manifest", string((<-messages).Payload))
		r.receipts.awaitRung(t, 1, receipt.Delivered)
		for _, qos := range []byte{1, 2} {
			_, err = client.Publish(ctx, &v5.Publish{
				Topic: receiptTopic, QoS: qos, Payload: []byte(receiptsJSON("presented", "flood")),
				Properties: &v5.PublishProperties{User: v5.UserProperties{{Key: "maker", Value: "any"}}},
			})
			require.NoError(t, err)
		}
		response, err := client.Publish(ctx, &v5.Publish{Topic: contract.TopicNow, QoS: 1, Payload: []byte("forged")})
		require.Error(t, err)
		require.Equal(t, byte(0x87), response.ReasonCode)
		require.NoError(t, client.Disconnect(&v5.Disconnect{}))
		r.hooks.awaitTold(t, "lift-1 up false")
	})
}

// dialURL opens what the v5 client, which has no dialer, is to use.
func dialURL(t *testing.T, url string, trust *tls.Config) net.Conn {
	scheme, address := url[:3], url[len("tcp://"):len(url)-len("/mqtt")]
	switch scheme {
	case "tcp":
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		return conn
	case "ssl":
		conn, err := tls.Dial("tcp", address, trust)
		require.NoError(t, err)
		return conn
	}
	conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{
		Subprotocols: []string{"mqtt"},
		HTTPClient:   &http.Client{Transport: &http.Transport{TLSClientConfig: trust}},
	})
	require.NoError(t, err)
	return websocket.NetConn(t.Context(), conn, websocket.MessageBinary)
}

func TestTLS_OlderVersionsAndMissingConfigurationAreRefused(t *testing.T) {
	server, trust := testTLS(t)
	server.MinVersion = tls.VersionTLS12
	r := newRig(t, func(o *Options) { o.TLS = server })
	trust.MaxVersion = tls.VersionTLS12
	_, err := tls.Dial("tcp", r.listen(TLS), trust)
	require.Error(t, err)

	plain := newRig(t)
	for _, transport := range []Transport{TLS, WSS} {
		_, err := plain.Listen("127.0.0.1:0", transport)
		require.ErrorContains(t, err, "no TLS configuration")
	}
}

func TestTLS_StalledHandshakesDelayNobodyForLong(t *testing.T) {
	server, trust := testTLS(t)
	r := newRig(t, func(o *Options) { o.TLS = server })
	address := r.listen(TLS)
	for range 20 {
		r.dial(address) // says nothing
	}
	conn, err := tls.Dial("tcp", address, trust)
	require.NoError(t, err)
	defer conn.Close()
	w := &wire{Conn: conn, t: t}
	w.connect("lift-1")
}

func TestWebSocket_RefusedUpgrades(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"foreign origin":    {func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, http.StatusForbidden},
		"origin null":       {func(r *http.Request) { r.Header.Set("Origin", "null") }, http.StatusForbidden},
		"no subprotocol":    {func(r *http.Request) { r.Header.Del("Sec-WebSocket-Protocol") }, http.StatusBadRequest},
		"old subprotocol":   {func(r *http.Request) { r.Header.Set("Sec-WebSocket-Protocol", "mqttv3.1") }, http.StatusBadRequest},
		"version":           {func(r *http.Request) { r.Header.Set("Sec-WebSocket-Version", "8") }, http.StatusBadRequest},
		"key":               {func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "short") }, http.StatusBadRequest},
		"not an upgrade":    {func(r *http.Request) { r.Header.Del("Upgrade") }, http.StatusUpgradeRequired},
		"method":            {func(r *http.Request) { r.Method = http.MethodPost }, http.StatusMethodNotAllowed},
		"own origin":        {func(r *http.Request) { r.Header.Set("Origin", "http://"+r.URL.Host) }, http.StatusSwitchingProtocols},
		"configured":        {func(r *http.Request) { r.Header.Set("Origin", "https://A.District.Example") }, http.StatusSwitchingProtocols},
		"among others":      {func(r *http.Request) { r.Header.Set("Sec-WebSocket-Protocol", "x, MQTT") }, http.StatusSwitchingProtocols},
		"upgrade in a list": {func(r *http.Request) { r.Header.Set("Connection", "keep-alive, Upgrade") }, http.StatusSwitchingProtocols},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.Origins = func() []string { return []string{"*.district.example"} } })
			req, err := http.NewRequest(http.MethodGet, "http://"+r.listen(WS)+"/any", nil)
			require.NoError(t, err)
			for key, value := range map[string]string{
				"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
				"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "mqtt",
			} {
				req.Header.Set(key, value)
			}
			test.change(req)
			response, err := http.DefaultTransport.RoundTrip(req)
			require.NoError(t, err)
			defer response.Body.Close()
			require.Equal(t, test.want, response.StatusCode)
			if test.want == http.StatusSwitchingProtocols {
				require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", response.Header.Get("Sec-WebSocket-Accept"))
			}
		})
	}
}
