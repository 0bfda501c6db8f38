package idv.client;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Which gateway, and as whom; null where there is no such flag. */
record Options(
    String target, String tlsCa, String tlsCert, String tlsKey, String tokenFile, String serviceConfig) {
  static final String USAGE =
      """
      idv-client-java --service-config FILE [--target HOST:PORT] [--tls-ca FILE [--token-file FILE] [...]]
        --service-config FILE  service_config.json beside the protos
        --target HOST:PORT     the gateway, or unix:///PATH; 127.0.0.1:8080 without the flag
        --tls-ca FILE          PEM of who signed the gateway's certificate; without it: plaintext
        --tls-cert FILE, --tls-key FILE    PEM of this client's certificate and its key
        --token-file FILE      a file with a bearer token, instead of a certificate
      """;
  private static final List<String> FLAGS =
      List.of("--target", "--tls-ca", "--tls-cert", "--tls-key", "--token-file", "--service-config");

  static Options parse(String[] arguments) {
    Map<String, String> given = new HashMap<>();
    for (int i = 0; i < arguments.length; i += 2) {
      require(FLAGS.contains(arguments[i]), "there is no flag " + arguments[i] + "; see --help");
      require(i + 1 < arguments.length, arguments[i] + " has no value");
      given.put(arguments[i], arguments[i + 1]);
    }
    var options =
        new Options(
            given.getOrDefault("--target", "127.0.0.1:8080"),
            given.get("--tls-ca"),
            given.get("--tls-cert"),
            given.get("--tls-key"),
            given.get("--token-file"),
            given.get("--service-config"));
    require(options.serviceConfig != null, "--service-config is missing");
    require((options.tlsCert == null) == (options.tlsKey == null), "--tls-cert and --tls-key come together");
    require(
        options.tlsCa != null || (options.tlsCert == null && options.tokenFile == null),
        "a certificate or a token goes over TLS only: --tls-ca is missing");
    return options;
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) throw new IllegalArgumentException(otherwise);
  }
}
