package idv.client;

import io.grpc.StatusRuntimeException;
import java.nio.file.FileSystemException;
import java.util.Arrays;

/**
 * Calls idv-gateway as a service would: all that a caller needs, in the order of a day at work.
 *
 * <p>It prints one line for each step, which tests/clients/run.py compares with tests/clients/expected.txt.
 */
final class Main {
  public static void main(String[] arguments) {
    if (Arrays.asList(arguments).contains("--help")) {
      System.out.print(Options.USAGE);
      return;
    }
    var step = "";
    try (var gateway = new Gateway(Options.parse(arguments))) {
      for (var next : new Scenario(gateway).steps().entrySet()) {
        step = next.getKey() + ": ";
        System.out.println(step + next.getValue().call());
      }
      return;
    } catch (StatusRuntimeException e) {
      System.err.println("idv-client-java: " + step + Failure.of(e));
    } catch (FileSystemException e) { // its message may be the path alone
      System.err.println("idv-client-java: " + step + "cannot read " + e.getMessage());
    } catch (Exception e) {
      System.err.println("idv-client-java: " + step + e.getMessage());
    }
    System.exit(1);
  }
}
